"""Solves a few hundred sudokus by constraint and search; the solved ones are kept for a table."""

import random

ROWS, COLS = "ABCDEFGHI", "123456789"
CELLS = [r + c for r in ROWS for c in COLS]
UNITS = (
    [[r + c for c in COLS] for r in ROWS]
    + [[r + c for r in ROWS] for c in COLS]
    + [[r + c for r in rs for c in cs] for rs in ("ABC", "DEF", "GHI") for cs in ("123", "456", "789")]
)
PEERS = {cell: {p for unit in UNITS if cell in unit for p in unit} - {cell} for cell in CELLS}


def assign(values, cell, digit):
    for other in values[cell].replace(digit, ""):
        if not drop(values, cell, other):
            return None
    return values


def drop(values, cell, digit):
    if digit not in values[cell]:
        return values
    values[cell] = values[cell].replace(digit, "")
    if not values[cell]:
        return None
    if len(values[cell]) == 1 and not all(drop(values, p, values[cell]) for p in PEERS[cell]):
        return None
    for unit in UNITS:
        if cell in unit:
            places = [c for c in unit if digit in values[c]]
            if not places or (len(places) == 1 and len(values[places[0]]) > 1 and not assign(values, places[0], digit)):
                return None
    return values


def search(values):
    if values is None:
        return None
    if all(len(v) == 1 for v in values.values()):
        return values
    cell = min((c for c in CELLS if len(values[c]) > 1), key=lambda c: len(values[c]))
    for digit in values[cell]:
        if found := search(assign(values.copy(), cell, digit)):
            return found
    return None


def puzzle(rng):
    while True:
        values = {cell: COLS for cell in CELLS}
        for cell in rng.sample(CELLS, 81):
            if not assign(values, cell, rng.choice(values[cell])):
                break
            known = [v for v in values.values() if len(v) == 1]
            if len(known) >= 24 and len(set(known)) >= 8:
                return {c: (v if len(v) == 1 else None) for c, v in values.items()}


def main():
    rng, solved = random.Random(3), []
    for _ in range(60):
        values = {cell: COLS for cell in CELLS}
        for cell, digit in puzzle(rng).items():
            if digit and values:
                values = assign(values, cell, digit)
        if answer := search(values):
            solved.append("".join(answer[c] for c in CELLS))
    print(len(solved), solved[0])


main()
