"""Answers that are dicts, in a dict by tuples of arguments: no labels of a metric."""
import time


def remembered(function):
    known = {}

    def inner(*arguments):
        if arguments not in known:
            known[arguments] = function(*arguments)
        return known[arguments]

    return inner


@remembered
def locate(street, number):
    return {"lat": number * 0.5, "lon": number / 3, "of": f"{street} {number}"}     # culprit


def main():
    for number in range(20_000):
        locate(f"street {number % 300}", number)
        if number % 200 == 0:
            time.sleep(0.01)


main()
