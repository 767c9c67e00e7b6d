"""A crawler over a server of its own: threads, a set of what was seen, a report."""

import http.server
import queue
import re
import threading
import urllib.request


class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        n = int(self.path[1:] or 0)
        body = "".join(f"<a href='/{(n * 3 + k) % 900}'>x</a>" for k in range(5)).encode() + b"text " * 900
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *a):
        pass


s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
threading.Thread(target=s.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{s.server_port}"
todo, seen, sizes, lock = queue.Queue(), {"/0"}, {}, threading.Lock()
todo.put("/0")


def work():
    while True:
        p = todo.get()
        if p is None:
            return
        text = urllib.request.urlopen(base + p).read().decode()
        with lock:
            sizes[p] = len(text)
            for link in re.findall("href='(.*?)'", text):
                if link not in seen:
                    seen.add(link)
                    todo.put(link)
        todo.task_done()


ts = [threading.Thread(target=work) for _ in range(4)]
for t in ts:
    t.start()
todo.join()
for t in ts:
    todo.put(None)
for t in ts:
    t.join()
s.shutdown()
print(len(sizes))
