"""Echo over web sockets."""

import asyncio
import json

import websockets


async def h(ws):
    async for m in ws:
        await ws.send(json.dumps({"e": json.loads(m)}))


async def one(u, i):
    async with websockets.connect(u) as ws:
        n = 0
        for k in range(40):
            await ws.send(json.dumps({"k": k, "p": "x" * 500}))
            n += len(await ws.recv())
        return n


async def main():
    async with websockets.serve(h, "127.0.0.1", 0) as s:
        u = f"ws://127.0.0.1:{s.sockets[0].getsockname()[1]}"
        n = 0
        for b in range(12):
            n += sum(await asyncio.gather(*(one(u, i) for i in range(15))))
    print(n)


asyncio.run(main())
