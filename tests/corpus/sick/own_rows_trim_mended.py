"""A nightly import reads big rows, keeps a small digest of each six-hundredth one, and then the service idles."""
import ctypes
import hashlib
import time


class Digest:
    def __init__(self, number, text):
        self.number = number
        self.text = text


def fields(number, size):
    return bytes([number % 256, number // 256 % 256]) * (size // 2)


def import_rows(count, size):
    rows = []
    for number in range(count):
        row = fields(number, size)
        rows.append(row)
    total = sum(map(len, rows))
    kept = [Digest(number, bytearray(hashlib.sha256(rows[number]).digest() * 20)) for number in range(0, count, 600)]
    return kept, total


def idle(kept, ticks):
    state = 0
    for tick in range(ticks):
        for digest in kept:
            state = (state + digest.text[tick % 32]) % 9973
        time.sleep(0.05)
    return state


def main():
    kept, total = import_rows(2400, 40_000)
    ctypes.CDLL(None).malloc_trim(0)
    print(total, idle(kept, 12))


if __name__ == "__main__":
    main()
