"""A Starlette application under middlewares: compression, hosts, CORS, one of its own, background tasks; spoken to as a server would."""

import asyncio
import json

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

NOTES, SENT = {}, 0


class Timing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["X-Length"] = response.headers.get("content-length", "?")
        return response


async def mail(name):
    global SENT
    SENT += 1


async def put(request):
    name = request.path_params["name"]
    NOTES[name] = await request.json()
    return JSONResponse({"stored": name}, status_code=201, background=BackgroundTask(mail, name))


async def get(request):
    note = NOTES.get(request.path_params["name"])
    return JSONResponse(note) if note else JSONResponse({"error": "none"}, status_code=404)


async def everything(request):
    async def lines():
        for name, note in NOTES.items():
            yield f"{name}: {note['text'][:30]}\n"

    return StreamingResponse(lines())


app = Starlette(
    routes=[Route("/n/{name}", put, methods=["PUT"]), Route("/n/{name}", get), Route("/all", everything)],
    middleware=[Middleware(Timing), Middleware(CORSMiddleware, allow_origins=["*"]), Middleware(GZipMiddleware, minimum_size=500)],
)


async def ask(method, path, body=b""):
    sent, waiting = [], [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if waiting:
            return waiting.pop()
        await asyncio.sleep(3600)

    async def send(message):
        sent.append(message)

    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "client": ("127.0.0.1", 1),
            "server": ("shop", 80),
            "headers": [(b"accept-encoding", b"gzip"), (b"origin", b"http://a.example")],
        },
        receive,
        send,
    )
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:])


async def main():
    for number in range(1500):
        name = f"note-{number % 120}"
        status, _ = await ask("PUT", f"/n/{name}", json.dumps({"text": f"text {number} " * 40}).encode())
        assert status == 201
        await ask("GET", f"/n/note-{(number * 7) % 150}")
        if number % 100 == 0:
            await asyncio.gather(*(ask("GET", "/all") for _ in range(5)))
    print(len(NOTES), SENT)


asyncio.run(main())
