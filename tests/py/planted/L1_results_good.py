"""Results are collected by the function that needs them: its list grows, on purpose."""
import time


def main():
    end, n, results = time.monotonic() + 2.2, 0, []
    while time.monotonic() < end:
        for _ in range(40):
            results.append({"number": n, "text": f"request {n} " * 10})
            n += 1
        time.sleep(0.001)
    return sum(len(r["text"]) for r in results)


print(main() > 0)
