"""An echo server of the standard library with many clients."""
import asyncio


async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def talk(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for i in range(30):
        writer.write(f"hello {number} {i} {'x' * 500}\n".encode())
        await writer.drain()
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HELLO")
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for batch in range(40):
        await asyncio.gather(*(talk(port, n) for n in range(20)))
    server.close()


asyncio.run(main())
