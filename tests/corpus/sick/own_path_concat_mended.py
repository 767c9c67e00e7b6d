"""A lock's history: each attempt is kept in order."""
import random


def simulate(attempts, seed):
    rng = random.Random(seed)
    history = []
    wrong = 0
    for number in range(attempts):
        code = rng.randrange(10_000)
        if code != 4711:
            wrong += 1
        history.append(code)
    return history, wrong


def longest_run(history):
    best = run = 0
    last = None
    for code in history:
        run = run + 1 if last is not None and code >= last else 1
        best = max(best, run)
        last = code
    return best


def main():
    for seed in range(3):
        history, wrong = simulate(14_000, seed)
        print(wrong, longest_run(history))


main()
