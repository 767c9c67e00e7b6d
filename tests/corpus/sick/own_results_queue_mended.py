"""Threads work, results are only counted."""
import collections
import queue
import threading

jobs, results = queue.Queue(50), collections.deque(maxlen=100)


def work():
    while (number := jobs.get()) is not None:
        results.append(len([number * k for k in range(12)]))
        with lock:
            done[0] += 1


lock, done = threading.Lock(), [0]
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for number in range(60_000):
    jobs.put(number)
for _ in threads:
    jobs.put(None)
for thread in threads:
    thread.join()
print(done[0])
