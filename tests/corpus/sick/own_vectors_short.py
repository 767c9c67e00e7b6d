"""Planets around a sun, with small vectors."""


class Vec:
    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other):
        return Vec(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vec(self.x - other.x, self.y - other.y, self.z - other.z)

    def scaled(self, k):
        return Vec(self.x * k, self.y * k, self.z * k)

    def square(self):
        return self.x * self.x + self.y * self.y + self.z * self.z


def pull(at, sun):
    way = sun - at
    return way.scaled(1.0 / (way.square() ** 1.5 + 1e-9))


def simulate(bodies, steps, dt):
    sun = Vec(0.0, 0.0, 0.0)
    places = [Vec(1.0 + i, 0.0, 0.1 * i) for i in range(bodies)]
    speeds = [Vec(0.0, 1.0 / (1.0 + i) ** 0.5, 0.0) for i in range(bodies)]
    for _ in range(steps):
        for i in range(bodies):
            speeds[i] = speeds[i] + pull(places[i], sun).scaled(dt)
            places[i] = places[i] + speeds[i].scaled(dt)
    return places


def main():
    places = simulate(8, 60_000, 0.0005)
    print([round(p.square(), 3) for p in places])


main()
