"""Bodies move; where they were is kept, to be drawn in the end."""

import math
import random

random.seed(2)


class Body:
    def __init__(self):
        self.x, self.y, self.vx, self.vy, self.m, self.trace = random.uniform(-9, 9), random.uniform(-9, 9), 0, 0, random.random(), []


bodies = [Body() for _ in range(40)]
for step in range(900):
    for a in bodies:
        fx = fy = 0
        for b in bodies:
            if a is not b:
                dx, dy = b.x - a.x, b.y - a.y
                r = math.sqrt(dx * dx + dy * dy) + 0.1
                fx += b.m * dx / r**3
                fy += b.m * dy / r**3
        a.vx += fx * 0.01
        a.vy += fy * 0.01
    for a in bodies:
        a.x += a.vx * 0.01
        a.y += a.vy * 0.01
        a.trace.append((a.x, a.y))
svg = "".join("<path d='M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in b.trace) + "'/>" for b in bodies)
print(len(svg))
