"""Flattens nested orders into rows."""
import json


def flatten(order, separator="."):
    rows = {}

    stack = [(order, "")]
    while stack:
        value, path = stack.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                stack.append((inner, f"{path}{separator}{key}" if path else key))
        else:
            rows[path] = value
    return rows


def orders(count):
    for number in range(count):
        yield json.dumps({"id": number, "customer": {"name": "n", "address": {"street": "s", "city": "c"}},
                          "items": {str(k): {"sku": k, "price": k * 2} for k in range(8)}})


print(sum(len(flatten(json.loads(text))) for text in orders(25_000)))
