"""httpx and requests ask a local server."""
import http.server
import json
import threading

import httpx
import requests


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"path": self.path, "rows": list(range(100))}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
total = 0
with httpx.Client() as client, requests.Session() as session:
    for i in range(1200):
        total += len(client.get(f"{base}/a/{i}").json()["rows"])
        total += len(session.get(f"{base}/b/{i}").json()["rows"])
server.shutdown()
print(total)
