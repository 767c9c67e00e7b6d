"""Templates and web sockets of tornado."""

import asyncio
import json

import tornado.httpclient
import tornado.httpserver
import tornado.template
import tornado.web
import tornado.websocket


class H(tornado.web.RequestHandler):
    async def get(self, k):
        await asyncio.sleep(0)
        if k == "9":
            raise tornado.web.HTTPError(404)
        self.set_secure_cookie("a", k)
        self.write({"k": k, "l": list(range(50))})


class T(tornado.web.RequestHandler):
    def get(self):
        self.write(tornado.template.Template("{% for i in x %}<b>{{i}}</b>{% end %}").generate(x=range(20)))


class W(tornado.websocket.WebSocketHandler):
    def on_message(self, m):
        self.write_message(json.dumps({"m": m}))


async def main():
    import logging

    logging.getLogger("tornado.access").disabled = True
    app = tornado.web.Application([(r"/h/(\d)", H), ("/t", T), ("/w", W)], cookie_secret="q")
    s = app.listen(0, "127.0.0.1")
    port = list(s._sockets.values())[0].getsockname()[1]
    u = f"127.0.0.1:{port}"
    c = tornado.httpclient.AsyncHTTPClient()
    n = 0
    for i in range(50):
        r = await asyncio.gather(*(c.fetch(f"http://{u}/h/{k % 10}", raise_error=False) for k in range(10)), c.fetch(f"http://{u}/t"))
        n += sum(len(x.body) for x in r)
        ws = await tornado.websocket.websocket_connect(f"ws://{u}/w")
        for k in range(8):
            await ws.write_message(f"m{k}")
            n += len(await ws.read_message())
        ws.close()
    s.stop()
    print(n)


asyncio.run(main())
