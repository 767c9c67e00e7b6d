"""A chat server's rooms: members come and go, the last messages of a room are kept, statistics in the end."""
import asyncio
import collections
import random

random.seed(33)


class Room:
    def __init__(self, name):
        self.name, self.members, self.recent, self.count = name, {}, collections.deque(maxlen=50), 0

    def join(self, who):
        self.members[who] = asyncio.Queue(maxsize=20)

    def leave(self, who):
        self.members.pop(who, None)

    def say(self, who, text):
        self.recent.append((who, text))
        self.count += 1
        for box in self.members.values():
            if box.full():
                box.get_nowait()
            box.put_nowait(text)


async def person(n, rooms):
    for visit in range(12):
        room = random.choice(rooms)
        room.join(n)
        for i in range(25):
            room.say(n, f"{n} says {i} in {room.name} at visit {visit}")
            await asyncio.sleep(0)
        room.leave(n)


async def main():
    rooms = [Room(f"room{i}") for i in range(40)]
    await asyncio.gather(*(person(n, rooms) for n in range(150)))
    print(sum(room.count for room in rooms), sum(len(room.members) for room in rooms))


asyncio.run(main())
