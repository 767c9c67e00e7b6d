"""Rooms of an asyncio chat, and clients that come and go."""

import asyncio
import json

rooms = {}


async def handle(r, w):
    name = (await r.readline()).decode().strip()
    room = rooms.setdefault(name[-1], set())
    room.add(w)
    try:
        while line := await r.readline():
            m = json.dumps({"from": name, "m": line.decode().strip()}).encode() + b"\n"
            for o in list(room):
                o.write(m)
            await w.drain()
    finally:
        room.discard(w)
        w.close()


async def client(port, i):
    r, w = await asyncio.open_connection("127.0.0.1", port)
    n = 0
    w.write(f"u{i}{i % 4}\n".encode())
    got = 0

    async def rd():
        nonlocal got
        while await r.readline():
            got += 1

    t = asyncio.create_task(rd())
    for k in range(15):
        w.write(f"hello {k}\n".encode())
        await w.drain()
        await asyncio.sleep(0.001)
    w.write_eof()
    await asyncio.wait([t], timeout=0.05)
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        pass
    w.close()
    return k


async def main():
    s = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = s.sockets[0].getsockname()[1]
    n = 0
    for b in range(40):
        n += sum(await asyncio.gather(*(client(port, b * 20 + i) for i in range(20))))
    s.close()
    print(n)


asyncio.run(main())
