"""A quotation server in aiohttp: web sockets that come and go, a broadcast loop, a REST side, a client session."""

import asyncio
import json
import random

import aiohttp
from aiohttp import web

PRICES = {f"SYM{n}": 100.0 for n in range(200)}


async def quotes(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    request.app["sockets"].add(socket)
    try:
        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                wanted = json.loads(message.data)
                await socket.send_json({name: PRICES[name] for name in wanted})
    finally:
        request.app["sockets"].discard(socket)
    return socket


async def rest(request):
    return web.json_response(PRICES)


@web.middleware
async def errors(request, handler):
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return web.json_response({"error": "not found"}, status=404)


async def market(app):
    rng = random.Random(1)
    while True:
        for name in rng.sample(sorted(PRICES), 40):
            PRICES[name] *= rng.uniform(0.99, 1.01)
        for socket in list(app["sockets"]):
            await socket.send_str("tick")
        await asyncio.sleep(0.02)


async def trader(url, number):
    rng, seen = random.Random(number), 0
    async with aiohttp.ClientSession() as session:
        for _ in range(4):
            async with session.ws_connect(url + "/ws") as socket:
                for _ in range(40):
                    await socket.send_json(rng.sample(sorted(PRICES), 20))
                    while (message := await socket.receive()).data == "tick":
                        pass
                    seen += len(message.json())
            async with session.get(url + "/prices") as response:
                seen += len(await response.json())
            async with session.get(url + f"/nothing{number}") as response:
                assert response.status == 404
    return seen


async def main():
    app = web.Application(middlewares=[errors])
    app["sockets"] = set()
    app.router.add_get("/ws", quotes)
    app.router.add_get("/prices", rest)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    ticking = asyncio.create_task(market(app))
    print(sum(await asyncio.gather(*(trader(url, n) for n in range(12)))))
    ticking.cancel()
    await runner.cleanup()


asyncio.run(main())
