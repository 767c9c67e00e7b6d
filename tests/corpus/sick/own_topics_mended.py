"""Visitors of a page listen to a topic while they are there."""
import asyncio
import collections


class Hub:
    def __init__(self):
        self.subscribers = collections.defaultdict(list)

    def subscribe(self, topic, callback):
        self.subscribers[topic].append(callback)

    def unsubscribe(self, topic, callback):
        self.subscribers[topic].remove(callback)

    def publish(self, topic, message):
        for callback in self.subscribers[topic][-20:]:
            callback(message)


class Visitor:
    def __init__(self, name):
        self.name = name
        self.inbox = collections.deque(maxlen=10)
        self.page = bytearray(4000)

    def notice(self, message):
        self.inbox.append(message)


async def visit(hub, number):
    visitor = Visitor(f"visitor {number}")
    topic = f"topic {number % 5}"
    hub.subscribe(topic, visitor.notice)
    for n in range(3):
        hub.publish(topic, f"{visitor.name} says {n}")
        await asyncio.sleep(0)
    hub.unsubscribe(topic, visitor.notice)
    return len(visitor.inbox)


async def main():
    hub = Hub()
    total = 0
    for start in range(0, 9000, 30):
        total += sum(await asyncio.gather(*(visit(hub, n) for n in range(start, start + 30))))
        await asyncio.sleep(0.002)
    print(total)


asyncio.run(main())
