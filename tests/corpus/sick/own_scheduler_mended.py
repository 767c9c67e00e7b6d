"""Reminders; most of them are called off."""
import heapq
import itertools


class Scheduler:
    def __init__(self):
        self.heap, self.count, self.now, self.off = [], itertools.count(), 0, 0

    def at(self, time, what):
        entry = [time, next(self.count), what]
        heapq.heappush(self.heap, entry)
        return entry

    def call_off(self, entry):
        entry[2] = None
        self.off += 1
        if self.off > 1_000:
            self.heap, self.off = [one for one in self.heap if one[2]], 0

    def tick(self):
        self.now += 1
        while self.heap and self.heap[0][0] <= self.now:
            _, _, what = heapq.heappop(self.heap)
            if what:
                what()


done, scheduler = [], Scheduler()
for number in range(90_000):
    entry = scheduler.at(scheduler.now + 10**6, lambda: done.append(1))
    scheduler.call_off(entry)
    scheduler.tick()
print(len(done))
