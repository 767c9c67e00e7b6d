"""Each step of a calculation is traced with the place it was called from."""
import sys


def trace(values):
    frame = sys._getframe()
    caller = frame.f_back
    text = f"{caller.f_code.co_name}:{caller.f_lineno} " + ",".join(map(str, values))
    del frame, caller
    return len(text)


def step(number):
    values = [number * i for i in range(200)]
    return trace(values)


def main():
    print(sum(step(number) for number in range(25_000)))


main()
