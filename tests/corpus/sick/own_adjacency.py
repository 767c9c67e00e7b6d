"""A road network: neighbours of each crossing, then distances from the centre."""
import random
from collections import deque


def build(crossings, roads):
    rng = random.Random(8)
    links = [[] for _ in range(crossings)]
    for _ in range(roads):
        a = rng.randrange(crossings)
        b = min(crossings - 1, max(0, a + rng.randrange(-40, 40)))
        links[a].append(b)
        links[b].append(a)
    return finish(links)


def finish(links):
    return links


def distances(links, start):
    far = [-1] * len(links)
    far[start] = 0
    todo = deque([start])
    while todo:
        at = todo.popleft()
        for other in links[at]:
            if far[other] < 0:
                far[other] = far[at] + 1
                todo.append(other)
    return far


NETWORK = build(300_000, 800_000)
for start in (0, 150_000):
    far = distances(NETWORK, start)
    print(start, max(far))
