"""Rays meet balls; the picture is the result."""

import math


class Ball:
    def __init__(self, x, y, z, r, color):
        self.x, self.y, self.z, self.r, self.color = x, y, z, r, color

    def hit(self, dx, dy, dz):
        b = self.x * dx + self.y * dy + self.z * dz
        c = self.x**2 + self.y**2 + self.z**2 - self.r**2
        d = b * b - c
        return b - math.sqrt(d) if d > 0 else None


balls = [Ball(math.sin(i) * 3, math.cos(i * 1.3) * 3, 8 + i % 5, 0.8, (i * 40 % 255, 99, 200)) for i in range(12)]
rows = []
for y in range(150):
    row = []
    for x in range(200):
        dx, dy, dz = (x - 100) / 150, (y - 75) / 150, 1.0
        n = math.sqrt(dx * dx + dy * dy + dz * dz)
        best = min(((t, b) for b in balls if (t := b.hit(dx / n, dy / n, dz / n)) is not None), key=lambda tb: tb[0], default=None)
        row.append(best[1].color if best else (0, 0, 0))
    rows.append(row)
print(sum(1 for row in rows for c in row if any(c)))
