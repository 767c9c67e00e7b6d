"""Draws frames of a scene; each frame builds the scene anew."""


class Shape:
    def __init__(self, kind, x, y):
        self.kind, self.x, self.y = kind, x, y
        self.owner = None

    def place(self):
        return self.x


class Group(Shape):
    def __init__(self, dx):
        super().__init__("group", 0, 0)
        self.dx, self.parts = dx, []

    def add(self, part):
        part.x += self.dx
        self.parts.append(part)
        return part


def frame(number):
    root = Group(number)
    for row in range(6):
        group = root.add(Group(row))
        for column in range(10):
            group.add(Shape("square", column, row))
    return sum(shape.place() for group in root.parts for shape in group.parts)


print(sum(frame(number) for number in range(4_000)))
