"""The raw rows are still in a variable while the table made of them is worked on."""
import time


def main():
    raw = [f"{i},{i + 1},".ljust(260) for i in range(80_000)]
    table = [row[:9].strip() for row in raw]                # culprit
    total = 0
    for part in range(60):
        total += sum(len(cell.upper()) for cell in table[part::60])
        time.sleep(0.04)                                    # it is sent, say
    return total


print(main())
