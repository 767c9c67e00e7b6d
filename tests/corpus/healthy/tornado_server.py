"""A tornado server and its own client."""
import asyncio
import json

import tornado.httpclient
import tornado.web


class Echo(tornado.web.RequestHandler):
    def post(self):
        self.write({"said": json.loads(self.request.body)})


async def main():
    app = tornado.web.Application([("/echo", Echo)])
    server = app.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    client = tornado.httpclient.AsyncHTTPClient()
    said = 0
    for n in range(1200):
        answer = await client.fetch(f"http://127.0.0.1:{port}/echo", method="POST", body=json.dumps({"number": n, "text": "x" * 200}))
        said += json.loads(answer.body)["said"]["number"]
    server.stop()
    print(said)


import logging  # noqa: E402

logging.getLogger("tornado.access").setLevel(logging.ERROR)
asyncio.run(main())
