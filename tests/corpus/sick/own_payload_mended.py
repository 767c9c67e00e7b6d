"""Puts frames together to a message."""


class Message:
    def __init__(self):
        self.frames = []
        self.body = b""

    def add(self, frame):
        self.frames.append(frame)

    def finish(self):
        self.body = self.body or b"".join(getattr(self, "frames", ()))
        return len(self.body)


def receive(frames):
    message = Message()
    for number in range(frames):
        message.add(b"%08d" % number * 8)
    return message.finish()


print(sum(receive(6_000) for _ in range(4)))
