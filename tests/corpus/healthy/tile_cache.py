"""Map tiles are drawn once and kept, at most 400 of them: the walk over the map comes back to old places."""
import collections
import random
import zlib

random.seed(21)


class Tiles:
    def __init__(self, most):
        self.most, self.kept, self.hits = most, collections.OrderedDict(), 0

    def get(self, x, y):
        if (x, y) in self.kept:
            self.kept.move_to_end((x, y))
            self.hits += 1
        else:
            self.kept[x, y] = self.draw(x, y)
            if len(self.kept) > self.most:
                self.kept.popitem(last=False)
        return self.kept[x, y]

    def draw(self, x, y):
        rows = bytes((x * k ^ y * (k >> 3)) & 255 for k in range(6000))
        return zlib.compress(rows, 1)


tiles, x, y, size = Tiles(400), 500, 500, 0
for _ in range(6000):
    x, y = x + random.choice((-1, 0, 1)), y + random.choice((-1, 0, 1))
    for dx in (0, 1):
        for dy in (0, 1):
            size += len(tiles.get(x + dx, y + dy))
print(tiles.hits, len(tiles.kept), size > 0)
