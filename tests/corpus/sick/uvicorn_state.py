"""A web application; each client has a connection of its own."""
import asyncio

import uvicorn


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    scope["state"] = [f"row {k} of {scope['client']}" for k in range(200)]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def main():
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", http="h11"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    for number in range(2_000):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
        await reader.readuntil(b"ok")
        writer.close()
    server.should_exit = True
    await running
    print(number)


asyncio.run(main())
