"""Balls in a box."""


class Vec:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vec(self.x + other.x, self.y + other.y)

    def scaled(self, factor):
        return Vec(self.x * factor, self.y * factor)


class Ball:
    def __init__(self, n):
        self.at, self.speed = Vec(n, n), Vec(n % 7 - 3, n % 5 - 2)

    def step(self, dt):
        self.at = self.at + self.speed.scaled(dt)


balls = [Ball(n) for n in range(200)]
for _ in range(4_000):
    for ball in balls:
        ball.step(0.01)
print(round(sum(ball.at.x for ball in balls)))
