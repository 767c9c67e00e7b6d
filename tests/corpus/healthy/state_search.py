"""Sliding tiles by breadth: what was seen grows until the answer stands."""

from collections import deque

GOAL = (1, 2, 3, 4, 5, 6, 7, 8, 0)


def near(s):
    z = s.index(0)
    r, c = divmod(z, 3)
    for dr, dc in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        a, b = r + dr, c + dc
        if 0 <= a < 3 and 0 <= b < 3:
            l = list(s)
            l[z], l[a * 3 + b] = l[a * 3 + b], 0
            yield tuple(l)


dist, q = {GOAL: 0}, deque([GOAL])
while q:
    s = q.popleft()
    for t in near(s):
        if t not in dist:
            dist[t] = dist[s] + 1
            q.append(t)
print(len(dist), max(dist.values()))
