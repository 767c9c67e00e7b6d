"""A session in IPython as a notebook has it: cells one after the other, results in Out, a plot's data, an error on the way."""

from IPython.core.interactiveshell import InteractiveShell

CELLS = [
    "import random, statistics, collections",
    "rng = random.Random(1)",
    "people = [{'name': f'p{n}', 'age': rng.randrange(90), 'pay': rng.gauss(3000, 900)} for n in range(40_000)]",
    "len(people)",
    "people[:3]",
    "by_age = collections.defaultdict(list)\nfor p in people:\n    by_age[p['age']].append(p['pay'])",
    "means = {age: statistics.fmean(pays) for age, pays in by_age.items()}",
    "means",
    "1 / 0",
    "sorted(means.items(), key=lambda kv: -kv[1])[:10]",
    "rich = [p for p in people if p['pay'] > 4000]",
    "rich",
    "def bin_of(pay, width=250):\n    return int(pay // width) * width\nhistogram = collections.Counter(bin_of(p['pay']) for p in people)",
    "histogram.most_common(5)",
    "squares = [n * n for n in range(200_000)]\nsum(squares)",
    "matrix = [[rng.random() for _ in range(120)] for _ in range(120)]\nproduct = [[sum(a * b for a, b in zip(row, col)) for col in zip(*matrix)] for row in matrix]",
    "max(map(max, product))",
    "del squares",
]


def main():
    shell = InteractiveShell.instance()
    shell.colors = "NoColor"
    for cell in CELLS:
        shell.run_cell(cell, store_history=True)


main()
