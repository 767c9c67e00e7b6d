"""A small WSGI app that limits requests by address."""
import collections
import functools
import io
import time
import wsgiref.util


def limited(most, seconds):
    windows = collections.defaultdict(collections.deque)

    def decorate(app):
        @functools.wraps(app)
        def wrapper(environ, start_response):
            address, now = environ["REMOTE_ADDR"], time.monotonic()
            window = windows[address]
            while window and window[0] < now - seconds:
                window.popleft()
            if len(window) >= most:
                start_response("429 Too Many Requests", [])
                return [b""]
            window.append(now)
            if len(windows) > 500:
                windows.clear()
            return app(environ, start_response)
        return wrapper
    return decorate


@limited(30, 10.0)
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


served = 0
for number in range(20_000):
    environ = {"REMOTE_ADDR": f"10.{number >> 14}.{(number >> 7) & 127}.{number & 127}", "wsgi.input": io.BytesIO()}
    wsgiref.util.setup_testing_defaults(environ)
    served += len(app(environ, lambda status, headers: None)[0])
print(served)
