"""A small message broker: producers publish, subscribers of topics read with acknowledgement, each queue has a limit."""
import asyncio
import collections
import random

random.seed(3)


class Broker:
    def __init__(self):
        self.topics = collections.defaultdict(set)

    def subscribe(self, topic):
        queue = asyncio.Queue(maxsize=50)
        self.topics[topic].add(queue)
        return queue

    def unsubscribe(self, topic, queue):
        self.topics[topic].discard(queue)
        if not self.topics[topic]:
            del self.topics[topic]

    async def publish(self, topic, message):
        for queue in list(self.topics.get(topic, ())):
            await queue.put(message)


async def reader(broker, topic, most):
    queue, got = broker.subscribe(topic), 0
    try:
        while got < most:
            message = await asyncio.wait_for(queue.get(), 1)
            got += len(message["body"]) > 0
    except TimeoutError:
        pass
    finally:
        broker.unsubscribe(topic, queue)
    return got


async def main():
    broker, total = Broker(), 0
    for wave in range(25):
        readers = [asyncio.create_task(reader(broker, f"topic {n % 5}", 60)) for n in range(15)]
        await asyncio.sleep(0)
        for n in range(300):
            await broker.publish(f"topic {n % 5}", {"id": n, "body": f"wave {wave} message {n} " * random.randrange(1, 9)})
        total += sum(await asyncio.gather(*readers))
    print(total, len(broker.topics))


asyncio.run(main())
