"""Records a track."""
import collections



class Track:
    def __init__(self):
        self.points = []

    def record(self, time, x, y):
        self.points.append({"time": time, "x": x, "y": y, "speed": x % 7, "heading": y % 360})

    def length(self):
        return sum(point["speed"] for point in self.points)


track = Track()
for n in range(150_000):
    track.record(n, n * 3 % 1_000, n * 5 % 1_000)
print(track.length())
