"""Lines between a twisted server and its clients."""

from twisted.internet import defer, endpoints, protocol, reactor
from twisted.protocols.basic import LineReceiver


class S(LineReceiver):
    def lineReceived(self, l):
        self.sendLine(l[::-1])


class C(LineReceiver):
    def __init__(s):
        s.n = 0
        s.d = defer.Deferred()

    def connectionMade(s):
        s.sendLine(b"hello")

    def lineReceived(s, l):
        s.n += 1
        if s.n < 25:
            s.sendLine(b"x%d" % s.n)
        else:
            s.transport.loseConnection()

    def connectionLost(s, r):
        s.d.callback(s.n)


f = protocol.Factory.forProtocol(S)
tot = 0


@defer.inlineCallbacks
def main():
    global tot
    p = yield endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(f)
    port = p.getHost().port
    for b in range(50):
        cs = yield defer.gatherResults(
            [endpoints.connectProtocol(endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port), C()) for _ in range(15)]
        )
        r = yield defer.gatherResults([c.d for c in cs])
        tot += sum(r)
    yield p.stopListening()
    reactor.stop()


reactor.callWhenRunning(main)
reactor.run()
print(tot)
