"""An echo and chat server on asyncio streams: timeouts, cancelled readers, rooms that empty, a client for each of 150 guests."""

import asyncio
import contextlib
import random


class Chat:
    def __init__(self):
        self.rooms = {}

    async def serve(self, reader, writer):
        name = (await reader.readline()).decode().strip()
        room = self.rooms.setdefault(name, set())
        room.add(writer)
        try:
            while True:
                line = await asyncio.wait_for(reader.readline(), 2)
                if not line:
                    break
                for other in room:
                    other.write(line)
                await asyncio.gather(*(other.drain() for other in list(room)), return_exceptions=True)
        except (TimeoutError, asyncio.TimeoutError, ConnectionError):
            pass
        finally:
            room.discard(writer)
            if not room:
                self.rooms.pop(name, None)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def guest(port, n, gate):
    rng, seen = random.Random(n), 0
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"room{n % 9}\n".encode())
        for k in range(30):
            writer.write(f"guest {n} says {k} {'x' * rng.randrange(300)}\n".encode())
            await writer.drain()
            with contextlib.suppress(asyncio.TimeoutError):
                seen += len(await asyncio.wait_for(reader.readline(), 1))
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return seen


async def main():
    chat = Chat()
    server = await asyncio.start_server(chat.serve, "127.0.0.1", 0)
    port, gate = server.sockets[0].getsockname()[1], asyncio.Semaphore(25)
    seen = await asyncio.gather(*(guest(port, n, gate) for n in range(150)))
    server.close()
    await asyncio.sleep(0.1)
    print(len(seen), len(chat.rooms))


asyncio.run(main())
