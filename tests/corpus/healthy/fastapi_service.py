"""A FastAPI application behind uvicorn, with clients that ask for a while."""
import asyncio
import json

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Item(BaseModel):
    name: str
    price: float
    tags: list[str] = []


app = FastAPI()
latest: dict[int, Item] = {}


@app.get("/items/{number}")
async def get(number: int) -> Item | None:
    return latest.get(number % 100)


@app.post("/items/{number}")
async def post(number: int, item: Item) -> dict:
    latest[number % 100] = item
    return {"kept": len(latest)}


async def ask(reader, writer, method, path, body=b""):
    writer.write(b"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                 % (method, path, len(body), body))
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    return json.loads(await reader.readexactly(length))


async def client(port, first):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for n in range(first, first + 400):
        body = json.dumps({"name": f"thing {n}", "price": n / 3, "tags": [f"tag {n % 7}"]}).encode()
        await ask(reader, writer, b"POST", b"/items/%d" % n, body)
        answer = await ask(reader, writer, b"GET", b"/items/%d" % n)
        assert answer is None or "name" in answer
    writer.close()


async def main():
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    await asyncio.gather(*(client(port, 1000 * k) for k in range(4)))
    server.should_exit = True
    await serving
    print(len(latest))


asyncio.run(main())
