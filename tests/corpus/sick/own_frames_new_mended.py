"""Frames of a camera: each is read into a buffer, and its brightness taken."""
import io
import os

SIZE = 4 << 20


def camera(count):
    noise = os.urandom(SIZE)
    for _ in range(count):
        yield io.BytesIO(noise)


def brightness(frame):
    return sum(frame[::65_536]) / (SIZE // 65_536)


def watch(count):
    levels = []
    frame = bytearray(SIZE)
    for source in camera(count):
        source.readinto(frame)
        levels.append(brightness(frame))
    return levels


def main():
    levels = watch(400)
    print(len(levels), round(sum(levels) / len(levels)))


main()
