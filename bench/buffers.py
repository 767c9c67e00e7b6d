"""What a big buffer costs, new and from memsure.buffers: venv/bin/python bench/buffers.py [--rounds 25]

How many times as fast a step of a loop becomes when its buffer comes from the pool; the loop's variable keeps the last one until the
next is there, as loops do. New and pooled run in turn, the least of all rounds each. A loop has 64 steps or more: its
first two buffers, which are new pages from the system at any rate, hardly count.

  filled     a bytearray, all of it written by the program (a memset): the program's own work is in both
  one byte   a bytearray, of which little is used: what is saved is its zeros
  zeros      a bytearray whose zeros are needed: zero=True
  array      numpy.empty, all of it written (where numpy is installed)
"""

import argparse
import platform

from memsure import _pool, buffers, pools

SIZES = [1 << k for k in (10, 14, 16, 17, 18, 20, 23, 25, 26)]


def loops(n):
    fill = _pool.zero

    def new(steps):
        for _ in range(steps):
            b = bytearray(n)
            fill(b)

    def used(steps):
        for _ in range(steps):
            with pool.bytes(n) as b:
                fill(b)

    def new_touched(steps):
        for _ in range(steps):
            b = bytearray(n)
            b[0] = 1

    def used_touched(steps):
        for _ in range(steps):
            with pool.bytes(n) as b:
                b[0] = 1

    def used_zeroed(steps):
        for _ in range(steps):
            with pool.bytes(n, zero=True) as b:
                b[0] = 1

    pool = buffers.Pool(limit=256 << 20)
    out = {"filled": (new, used), "one byte": (new_touched, used_touched), "zeros": (new_touched, used_zeroed)}
    try:
        import numpy
    except ImportError:
        return out

    def new_array(steps):
        for _ in range(steps):
            a = numpy.empty(n, "u1")
            fill(a)

    def used_array(steps):
        for _ in range(steps):
            with pool.array(n, "u1") as a:
                fill(a)

    out["array"] = new_array, used_array
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    args = parser.parse_args()
    rows = {}
    for n in SIZES:
        for name, (new, used) in loops(n).items():
            a, b = pools.least((new, used), max(64, min(500, (16 << 20) // n)), args.rounds if n < 1 << 20 else max(args.rounds // 5, 3))
            rows.setdefault(name, []).append(f"{a / b:.2f}" if a < 3 * b else f"{a / b:.1f}")
    print(f"### Python {platform.python_version()}\n")
    print("| times as fast | " + " | ".join(f"{n >> 10} KiB" if n < 1 << 20 else f"{n >> 20} MiB" for n in SIZES) + " |")
    print("| --- |" + " --- |" * len(SIZES))
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
