"""A spider of scrapy crawls a local site."""

import http.server
import logging
import threading

import scrapy
from scrapy.crawler import CrawlerProcess


class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(s):
        k = int(s.path.strip("/") or 0)
        b = (
            "<html><body><h1>Page %d</h1>%s%s</body></html>"
            % (k, "".join(f"<a href='/{k * 3 + i}'>l</a>" for i in range(1, 4)) if k < 400 else "", "<p class=x>text</p>" * 100)
        ).encode()
        s.send_response(200)
        s.send_header("Content-Type", "text/html")
        s.send_header("Content-Length", str(len(b)))
        s.end_headers()
        s.wfile.write(b)

    def log_message(s, *a):
        pass


srv = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
srv.daemon_threads = True
threading.Thread(target=srv.serve_forever, daemon=True).start()
N = [0, 0]


class Sp(scrapy.Spider):
    name = "s"
    start_urls = [f"http://127.0.0.1:{srv.server_port}/0"]

    def parse(self, r):
        N[0] += 1
        N[1] += len(r.css("p.x::text").getall())
        for a in r.css("a::attr(href)"):
            yield r.follow(a, self.parse)


p = CrawlerProcess({"LOG_LEVEL": "CRITICAL", "TELNETCONSOLE_ENABLED": False})
p.crawl(Sp)
p.start()
srv.shutdown()
print(N)
