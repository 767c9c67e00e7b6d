"""Requests to a typed web application."""

from dataclasses import dataclass

from litestar import Litestar, get, post
from litestar.testing import TestClient


@dataclass
class Item:
    name: str
    price: float
    tags: list[str]


ITEMS = {i: Item(f"n{i}", i * 1.5, ["a", "b"]) for i in range(100)}


@get("/items/{i:int}", sync_to_thread=False)
def one(i: int) -> Item:
    return ITEMS[i]


@get("/items", sync_to_thread=False)
def many(limit: int = 10) -> list[Item]:
    return list(ITEMS.values())[:limit]


@post("/items", sync_to_thread=False)
def make(data: Item) -> dict[str, float]:
    return {"total": data.price * 2}


with TestClient(Litestar([one, many, make])) as c:
    n = 0
    for i in range(700):
        n += c.get(f"/items/{i % 100}").status_code
        n += len(c.get("/items", params={"limit": i % 90}).json())
        n += c.post("/items", json={"name": "x", "price": i, "tags": []}).status_code
print(n)
