"""Rooms of a game; people come and go."""
import asyncio
from collections import defaultdict


class Lobby:
    def __init__(self):
        self.rooms = defaultdict(set)

    def join(self, room, player):
        self.rooms[room].add(player)

    def leave(self, room, player):
        self.rooms[room].discard(player)
        if not self.rooms[room]:
            del self.rooms[room]


async def play(lobby, number):
    room = f"room {number // 2}"
    lobby.join(room, number)
    await asyncio.sleep(0)
    lobby.leave(room, number)


async def main():
    lobby = Lobby()
    for start in range(0, 160_000, 200):
        await asyncio.gather(*(play(lobby, number) for number in range(start, start + 200)))
    print("done")


asyncio.run(main())
