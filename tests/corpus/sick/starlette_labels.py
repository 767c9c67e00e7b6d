"""A web service with metrics, found by a scanner that asks for pages which do not exist."""
import asyncio

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette_exporter import PrometheusMiddleware


async def home(request):
    return PlainTextResponse("hello")


app = Starlette(routes=[Route("/", home)])
app.add_middleware(PrometheusMiddleware)


async def ask(path):
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        pass
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
             "root_path": "", "scheme": "http", "query_string": b"", "headers": [(b"host", b"localhost")], "server": ("localhost", 80),
             "client": ("127.0.0.1", 4000)}
    await app(scope, receive, send)


async def main():
    for n in range(6_000):
        await ask("/")
        await ask(f"/wp-content/plugin{n}.php")

asyncio.run(main())
