"""Audio encoding in a thread pool: each thread has its own scratch space, so that nothing must be locked."""
import concurrent.futures
import threading
import time

LOCAL = threading.local()


class Scratch:
    def __init__(self, samples):
        self.left = bytearray(samples * 4)
        self.right = bytearray(samples * 4)
        self.spectrum = [0.0] * (samples // 64)


def scratch(samples):
    space = getattr(LOCAL, "scratch", None)
    if space is None or len(space.left) < samples * 4:
        space = LOCAL.scratch = Scratch(samples)
    return space


def encode(track):
    number, samples = track
    space = scratch(samples)
    return mix(space, number)


def mix(space, number):
    for place in range(0, len(space.left), 4096):
        space.left[place] = (place + number) % 251
        space.right[place] = (place * number) % 251
    for place in range(0, len(space.spectrum), 16):
        space.spectrum[place] = (number * place % 97) / 97
    return sum(space.left[::4096]) + sum(space.right[::4096]) + round(sum(space.spectrum))


def album(pool, tracks, samples):
    return sum(pool.map(encode, [(number, samples) for number in range(tracks)]))


def main():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        total = album(pool, 40, 700_000)
        for single in range(30):
            total += pool.submit(encode, (single, 2000)).result()
            time.sleep(0.03)
    print(total)


main()
