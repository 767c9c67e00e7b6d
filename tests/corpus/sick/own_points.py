"""A track of points, all in memory."""
class Point:
    def __init__(self, x, y, height):
        self.x = x
        self.y = y
        self.height = height


class Track:
    def __init__(self, length):
        self.points = [Point(k * 0.5, k * 0.25, k % 900) for k in range(length)]

    def climb(self):
        return sum(max(0, b.height - a.height) for a, b in zip(self.points, self.points[1:]))


track = Track(400_000)
for _ in range(4):
    print(track.climb())
