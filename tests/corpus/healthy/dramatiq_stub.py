"""Actors with a broker in memory and a worker in this process."""

import collections

import dramatiq
from dramatiq.brokers.stub import StubBroker

b = StubBroker()
dramatiq.set_broker(b)
done = collections.Counter()


@dramatiq.actor(max_retries=0)
def resize(k, data):
    done[k % 10] += len(data)


@dramatiq.actor(max_retries=0)
def mail(to):
    done[to] += 1
    resize.send(len(to), "x" * 500)


w = dramatiq.Worker(b, worker_timeout=50, worker_threads=3)
w.start()
for r in range(10):
    for i in range(300):
        mail.send(f"u{i % 20}")
    b.join("default")
    w.join()
w.stop()
print(sum(done.values()))
