"""A service with a middleware, asked with a method it does not allow: a scanner does that all day."""
import asyncio

from aiohttp import ClientSession, web


@web.middleware
async def stamp(request, handler):
    try:
        return await handler(request)
    except web.HTTPException as refused:
        refused.headers["X-Service"] = "shop"
        raise


async def item(request):
    return web.json_response({"item": request.match_info["name"]})


async def main():
    app = web.Application(middlewares=[stamp])
    app.router.add_get("/item/{name}", item)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with ClientSession() as client:
        for i in range(6000):
            async with client.put(f"http://127.0.0.1:{port}/item/{i % 7}") as answer:
                assert answer.status == 405
    await runner.cleanup()


asyncio.run(main())
