"""Calls from clients to a server of objects."""

import threading
import time

import rpyc
from rpyc.utils.server import ThreadedServer


class S(rpyc.Service):
    def exposed_sum(self, xs):
        return sum(xs)

    def exposed_make(self, n):
        return [{"i": i} for i in range(n)]


s = ThreadedServer(S, port=0, hostname="127.0.0.1", protocol_config={"allow_public_attrs": True})
threading.Thread(target=s.start, daemon=True).start()
while not s.active:
    time.sleep(0.01)
n = 0
for k in range(15):
    c = rpyc.connect("127.0.0.1", s.port, config={"allow_public_attrs": True})
    for i in range(60):
        n += c.root.sum(tuple(range(i)))
        n += len(c.root.make(5))
    c.close()
s.close()
print(n)
