"""The same connections, closed by a with block, and tied to nobody. What is tied has a file that others have open, too."""
import socket
import sys
import time


class Handler:
    def __init__(self, client):
        self.client = client.socket.fileno()


class Client:
    def __init__(self):
        self.socket = socket.socket()
        self.handler = Handler(self)

    def ask(self, i):
        with self.socket:
            return i + self.socket.fileno() * 0


class Log:
    def __init__(self):
        self.file = sys.stderr
        self.writer = [self]


for _ in range(150):
    Log()
print(sum(Client().ask(i) for i in range(150)))
time.sleep(0.2)
