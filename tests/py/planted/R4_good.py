"""The raw rows are let go of."""
import time


def main():
    time.sleep(0.7)
    raw = [f"{i},{i + 1},".ljust(260) for i in range(80_000)]
    table = [row[:9].strip() for row in raw]
    del raw
    lengths = [len(row) for row in table]
    wide = [str(n) * 20 for n in lengths]
    time.sleep(0.3)
    wide.append("")
    time.sleep(0.3)
    return len(wide) + len(table) + len(lengths)


print(main())
