"""Requests and a web socket of an asynchronous application."""

import asyncio

from quart import Quart, render_template_string, request, websocket

app = Quart(__name__)


@app.get("/<int:n>")
async def page(n):
    return await render_template_string("{% for i in range(n) %}<p>{{ i }}</p>{% endfor %}", n=n % 50)


@app.post("/json")
async def js():
    d = await request.get_json()
    return {"sum": sum(d["x"])}


@app.websocket("/ws")
async def ws():
    while True:
        await websocket.send((await websocket.receive()).upper())


async def main():
    c = app.test_client()
    n = 0
    for i in range(800):
        n += len(await (await c.get(f"/{i}")).get_data())
        n += (await (await c.post("/json", json={"x": list(range(i % 40))})).get_json())["sum"]
    async with c.websocket("/ws") as s:
        for i in range(500):
            await s.send(f"m{i}")
            n += len(await s.receive())
    print(n)


asyncio.run(main())
