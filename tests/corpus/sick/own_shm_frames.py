"""A camera process hands frames to a viewer through shared memory; the viewer says when it has drawn one."""
from multiprocessing import shared_memory
import os


def publish(number, width, height):
    segment = shared_memory.SharedMemory(f"frame-{os.getpid()}-{number}", create=True, size=width * height)
    row = bytes((number + place) % 256 for place in range(width))
    for line in range(height):
        segment.buf[line * width:(line + 1) * width] = row
    name = segment.name
    segment.close()
    return name


class Viewer:
    def __init__(self):
        self.drawn = 0
        self.light = 0

    def draw(self, name, width, height):
        segment = shared_memory.SharedMemory(name)
        try:
            self.light += sum(segment.buf[: width * height: 997])
            self.drawn += 1
        finally:
            segment.close()


def main():
    viewer = Viewer()
    width, height = 640, 360
    for number in range(160):
        name = publish(number, width, height)
        viewer.draw(name, width, height)
    print(viewer.drawn, viewer.light)


if __name__ == "__main__":
    main()
