"""Workers are renewed after six tasks; what each keeps of its tasks is never seen to grow for long."""
import time
from multiprocessing import Pool

SEEN = {}


def handle(number):
    for i in range(3000):
        SEEN[number, i] = f"answer {i} to {number}"         # culprit
    time.sleep(0.06)
    return len(SEEN)


def main():
    with Pool(2, maxtasksperchild=6) as pool:
        return sum(1 for _ in pool.imap(handle, range(60)))


if __name__ == "__main__":
    print(main())
