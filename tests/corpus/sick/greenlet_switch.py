"""Greenlets that switch to each other and end, as a gevent server's do."""
import greenlet


def serve(number):
    rows = [str(number + n) for n in range(300)]
    back.switch(len(rows))
    return len(",".join(rows))


total, back = 0, greenlet.getcurrent()
for i in range(60_000):
    g = greenlet.greenlet(serve)
    total += g.switch(i)
    total += g.switch()
print(total)
