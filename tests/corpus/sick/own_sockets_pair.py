"""Messages go through pairs of sockets, a new pair for each exchange."""
import socket


class Protocol:
    def __init__(self, peer):
        self.peer = peer
        self.received = 0

    def feed(self, data):
        self.received += len(data)


class Peer:
    def __init__(self):
        self.near, self.far = socket.socketpair()
        self.protocol = Protocol(self)

    def exchange(self, data):
        self.near.sendall(data)
        self.protocol.feed(self.far.recv(65536))
        self.far.sendall(b"ok")
        return len(self.near.recv(100))


def main():
    answered = 0
    for number in range(5000):
        peer = Peer()
        answered += peer.exchange(b"message %d " % number * 200)
    print(answered)


main()
