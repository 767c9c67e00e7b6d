"""An echo server and its clients as greenlets of gevent."""
import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gevent.socket import create_connection


def echo(socket, address):
    while data := socket.recv(4096):
        socket.sendall(data)


def client(number):
    socket = create_connection(server.address)
    got = 0
    for n in range(60):
        socket.sendall(b"%06d" % n * 20)
        got += len(socket.recv(4096))
    socket.close()
    return got


server = StreamServer(("127.0.0.1", 0), echo)
server.start()
print(sum(Pool(10).imap_unordered(client, range(120))) > 0)
server.stop()
gevent.sleep(0)
