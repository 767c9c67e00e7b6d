"""A chat: each client has a queue in its room."""
import asyncio


class Room:
    def __init__(self):
        self.watchers = {}

    def join(self, client):
        queue = self.watchers[client] = asyncio.Queue(20)
        return queue

    def leave(self, client):
        self.watchers.pop(client, None)

    def say(self, text):
        for queue in list(self.watchers.values())[-20:]:
            if not queue.full():
                queue.put_nowait(text)


async def client(room, number):
    queue = room.join(number)
    try:
        for k in range(3):
            room.say(f"{number} says {k}")
            await queue.get()
            if number % 3 == 0:
                raise ConnectionResetError
    except ConnectionResetError:
        return 0
    finally:
        room.leave(number)
    room.leave(number)
    return 1


async def main():
    room = Room()
    done = 0
    for batch in range(400):
        done += sum(await asyncio.gather(*(client(room, batch * 20 + k) for k in range(20))))
    print(done)


asyncio.run(main())
