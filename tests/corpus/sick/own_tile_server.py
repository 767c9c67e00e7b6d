"""Tiles are decompressed for a map that is asked for once; then the server waits."""
import time
import zlib

index = []


def tile(number):
    return zlib.compress(bytes([number % 256, number % 7]) * 50_000)


def build(tiles):
    opened = []
    for number, packed in enumerate(tiles):
        opened.append(zlib.decompress(packed))
        index.append(bytearray(opened[-1][:3000]))
    return sum(map(len, opened))


def main():
    tiles = [tile(number) for number in range(900)]
    size = build(tiles)
    for _ in range(100):
        time.sleep(0.01)
    print(size, len(index))


main()
