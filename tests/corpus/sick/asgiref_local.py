"""A request variable of a threaded server: each request is a thread that sets and reads it."""
import threading

from asgiref.local import Local

current = Local()


def request(number):
    current.user = f"user {number}"
    assert current.user.endswith(str(number))


for i in range(50_000):
    thread = threading.Thread(target=request, args=(i,))
    thread.start()
    thread.join()
