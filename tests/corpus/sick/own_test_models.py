"""Tables are described by classes made from their columns."""
import random


def model_for(table, columns):
    def __repr__(self):
        return f"{table}({', '.join(columns)})"

    return type(table.title(), (), {"__slots__": columns, "__repr__": __repr__, "table": table})


def load(table, columns, count):
    model = model_for(table, columns)
    rows = []
    for number in range(count):
        row = model()
        for column in columns:
            setattr(row, column, number)
        rows.append(row)
    return rows


def main():
    rng = random.Random(23)
    columns = ("id", "name", "price", "stock")
    loaded = 0
    for _ in range(6000):
        loaded += len(load(rng.choice(["items", "orders", "customers"]), columns, 20))
    print(loaded)


main()
