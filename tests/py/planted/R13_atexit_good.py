"""A session of each client is closed with the client, or at the end of the program."""
import time
import weakref


class Session:
    def __init__(self, number):
        self.headers = [number] * 60

    def close(self):
        self.headers.clear()


class Client:
    def __init__(self, number):
        self.session = Session(number)
        weakref.finalize(self, self.session.close)


end, n = time.monotonic() + 2.2, 0
while time.monotonic() < end:
    for _ in range(30):
        Client(n)
        n += 1
    time.sleep(0.001)
print(n > 0)
