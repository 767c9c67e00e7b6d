"""Requests and a web socket of Starlette."""

import asyncio
import json

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

DB = {}


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, nxt):
        r = await nxt(request)
        r.headers["x-id"] = request.headers.get("x-id", "-")
        return r


async def item(request):
    k = int(request.path_params["k"])
    if request.method == "PUT":
        DB[k] = await request.json()
        return JSONResponse({"ok": True})
    if k not in DB:
        return JSONResponse({"e": "no"}, 404)
    return JSONResponse(DB[k], background=BackgroundTask(lambda: None))


async def stream(request):
    async def g():
        for i in range(50):
            yield f"line {i}\n" * 20

    return StreamingResponse(g())


async def boom(request):
    raise ValueError("x")


async def on_err(request, exc):
    return PlainTextResponse("bad", 500)


app = Starlette(
    routes=[Route("/i/{k}", item, methods=["GET", "PUT"]), Route("/s", stream), Route("/b", boom)],
    middleware=[Middleware(M), Middleware(GZipMiddleware, minimum_size=200)],
    exception_handlers={ValueError: on_err},
)


async def main():
    n = 0
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as c:
        for i in range(900):
            k = i % 100
            await c.put(f"/i/{k}", json={"k": k, "t": ["x"] * 20})
            r = await c.get(f"/i/{k}")
            n += len(r.content)
            if i % 10 == 0:
                n += len((await c.get("/s")).content)
            if i % 25 == 0:
                n += (await c.get("/b")).status_code
            if i % 7 == 0:
                n += (await c.get(f"/i/{k + 500}")).status_code
    print(n, len(DB))


asyncio.run(main())
