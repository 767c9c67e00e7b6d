"""A chat server; each connection is a task of its own."""
import asyncio


class Server:
    def __init__(self):
        self.tasks = set()

    async def accept(self, reader, writer):
        task = asyncio.create_task(self.serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await task

    async def serve(self, reader, writer):
        history = []
        while line := await reader.readline():
            history.append(line)
            writer.write(line.upper())
        await writer.drain()
        writer.close()
        return history


async def client(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for k in range(20):
        writer.write(b"message %d of %d\n" % (k, number))
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return len(answer)


async def main():
    server = Server()
    async with await asyncio.start_server(server.accept, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        print(sum([await client(port, number) for number in range(1_500)]))


asyncio.run(main())
