"""An aiohttp service and its clients: JSON, uploads, streams, refusals."""
import asyncio

from aiohttp import ClientSession, web


@web.middleware
async def stamp(request, handler):
    answer = await handler(request)
    answer.headers["X-Service"] = "shop"
    return answer


async def item(request):
    return web.json_response({"item": request.match_info["name"], "rows": list(range(50))})


async def upload(request):
    return web.json_response({"size": len(await request.read())})


async def main():
    app = web.Application(middlewares=[stamp])
    app.add_routes([web.get("/item/{name}", item), web.post("/upload", upload)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def user(client, number):
        for i in range(150):
            async with client.get(f"{base}/item/{number}-{i}") as answer:
                await answer.json()
            async with client.post(f"{base}/upload", data=bytes(20_000)) as answer:
                assert (await answer.json())["size"] == 20_000
            async with client.get(f"{base}/nothing") as answer:
                assert answer.status == 404

    async with ClientSession() as client:
        await asyncio.gather(*(user(client, n) for n in range(10)))
    await runner.cleanup()


asyncio.run(main())
