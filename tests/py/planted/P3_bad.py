"""Two vectors are made for each step of a walk, and dropped at once."""
class Vector:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def walk(steps):
    x = y = 0.0
    for i in range(steps):
        v = Vector(x, i)                                    # culprit
        x, y = v.y, v.x
    return x + y


print(walk(1_200_000))
