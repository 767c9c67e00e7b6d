"""A catalogue of stars."""


class Thing:
    kind = "thing"


class Star(Thing):
    kind = "star"

    def __init__(self, number, ra, dec, magnitude):
        self.number, self.ra, self.dec, self.magnitude = number, ra, dec, magnitude
        self.__dict__


def load(count):
    return {n: Star(n, n * 0.001, -n * 0.002, n % 20) for n in range(count)}


stars = load(180_000)
print(sum(star.magnitude for star in stars.values()))
