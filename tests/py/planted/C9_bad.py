"""Connections whose handler knows them: their sockets stay open until a collection."""
import socket
import time


class Handler:
    def __init__(self, client):
        self.client = client                                # culprit


class Client:
    def __init__(self):
        self.socket = socket.socket()
        self.handler = Handler(self)

    def ask(self, i):
        return i + self.socket.fileno() * 0


print(sum(Client().ask(i) for i in range(150)))
time.sleep(0.2)
