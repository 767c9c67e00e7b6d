"""Requests are read with a schema made on the spot."""
from dataclasses import dataclass

import marshmallow_dataclass


@dataclass
class Item:
    name: str
    price: int


def handle(body):
    text = [f"{body['name']} line {k}" for k in range(400)]
    schema = marshmallow_dataclass.class_schema(Item)()
    item = schema.load(body)
    return item.price + len(text)


total = 0
for number in range(3_000):
    total += handle({"name": f"item {number}", "price": number})
print(total)
