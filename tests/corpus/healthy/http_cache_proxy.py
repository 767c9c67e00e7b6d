"""A proxy with a cache of answers by size: threads ask it, it asks a server, what was not used for long goes."""

import http.client
import http.server
import random
import threading
from collections import OrderedDict


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        number = int(self.path.rsplit("/", 1)[1])
        body = (f"page {number} " * (200 + number % 800)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Cache:
    def __init__(self, room):
        self.room, self.used, self.lock = room, 0, threading.Lock()
        self.bodies, self.hits, self.misses = OrderedDict(), 0, 0

    def get(self, key, fetch):
        with self.lock:
            if key in self.bodies:
                self.hits += 1
                self.bodies.move_to_end(key)
                return self.bodies[key]
            self.misses += 1
        body = fetch(key)
        with self.lock:
            if key not in self.bodies:
                self.bodies[key] = body
                self.used += len(body)
            while self.used > self.room:
                _, old = self.bodies.popitem(last=False)
                self.used -= len(old)
        return body


def reader(cache, port, seed, sizes):
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def fetch(number):
        connection.request("GET", f"/page/{number}")
        return connection.getresponse().read()

    rng, total = random.Random(seed), 0
    for _ in range(700):
        total += len(cache.get(int(rng.paretovariate(0.5)) % 4000, fetch))
    sizes.append(total)
    connection.close()


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cache, sizes = Cache(4_000_000), []
    threads = [threading.Thread(target=reader, args=(cache, server.server_port, n, sizes)) for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    server.shutdown()
    server.server_close()
    print(cache.hits, cache.misses, cache.used, sum(sizes))


main()
