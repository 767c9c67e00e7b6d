"""The raw rows are still in a variable while the table made of them is worked on."""
import time


def main():
    raw = [f"{i},{i + 1}" * 2 for i in range(80_000)]
    table = [row.split(",") for row in raw]
    lengths = [len(row) for row in table]
    wide = [str(n) * 20 for n in lengths]                   # culprit
    time.sleep(0.3)
    return len(wide) + len(table)


print(main())
