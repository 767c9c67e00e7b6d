"""Rates come from partners in many formats; bad files are reported with the line that failed."""
import sys


def parse(lines):
    table = {}
    for line in lines:
        name, value = line.split(";")
        table[name] = float(value)
    return table


def load(number, problems):
    lines = [f"currency-{number}-{i};{i * 0.25}" for i in range(400)]
    if number % 2:
        lines[-1] = "broken line"
    try:
        return parse(lines)
    except ValueError:
        kind, value, trace = sys.exc_info()
        last = trace
        while last.tb_next is not None:
            last = last.tb_next
        problems[last.tb_lineno] = problems.get(last.tb_lineno, 0) + 1
        return {}


def main():
    problems, rates = {}, 0
    for number in range(6000):
        rates += len(load(number, problems))
    print(rates, sum(problems.values()))


main()
