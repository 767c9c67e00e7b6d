"""A test bench starts a small server for each client, asks it twice, and stops it."""
import http.client
import http.server
import threading


def serve(state):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            state["requests"] += 1
            body = b"hello " * 50
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    return server, thread


def ask(port):
    client = http.client.HTTPConnection("127.0.0.1", port)
    client.request("GET", "/")
    size = len(client.getresponse().read())
    client.close()
    return size


def main():
    size = 0
    for number in range(250):
        state = {"requests": 0}
        server, thread = serve(state)
        size += ask(server.server_port)
        server.shutdown()
        thread.join()
        server.server_close()
    print(size)


main()
