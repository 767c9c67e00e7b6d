"""The raw rows are still in a variable while the table made of them is worked on."""
import time


def main():
    time.sleep(0.7)
    raw = [f"{i},{i + 1},".ljust(260) for i in range(80_000)]
    table = [row[:9].strip() for row in raw]                # culprit
    lengths = [len(row) for row in table]
    wide = [str(n) * 20 for n in lengths]
    time.sleep(0.3)
    wide.append("")
    time.sleep(0.3)
    return len(wide) + len(table)


print(main())
