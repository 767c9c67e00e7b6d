"""Orders over FastAPI: nested models, dependencies, validation errors, an in-memory store with a limit; spoken to in process."""

import asyncio
from collections import OrderedDict
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field


class Item(BaseModel):
    sku: str
    count: int = Field(gt=0, le=100)
    price: float = Field(gt=0)


class Order(BaseModel):
    customer: str
    items: list[Item]
    note: str | None = None

    @property
    def total(self):
        return sum(item.count * item.price for item in self.items)


class Store:
    def __init__(self, limit):
        self.orders, self.limit, self.next = OrderedDict(), limit, 1

    def add(self, order):
        number, self.next = self.next, self.next + 1
        self.orders[number] = order
        while len(self.orders) > self.limit:
            self.orders.popitem(last=False)
        return number


app, store = FastAPI(), Store(500)


async def user(x_user: Annotated[str, Header()] = "anonymous"):
    if x_user == "banned":
        raise HTTPException(403)
    return x_user


@app.middleware("http")
async def add_header(request, call_next):
    response = await call_next(request)
    response.headers["X-Path"] = request.url.path
    return response


@app.post("/orders", status_code=201)
async def create(order: Order, who: Annotated[str, Depends(user)]):
    return {"number": store.add(order), "total": order.total, "by": who}


@app.get("/orders/{number}")
async def read(number: int) -> Order:
    if number not in store.orders:
        raise HTTPException(404, "no such order")
    return store.orders[number]


async def main():
    transport = httpx.ASGITransport(app=app)
    seen = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        for n in range(1200):
            body = {
                "customer": f"c{n % 40}",
                "items": [{"sku": f"s{i}", "count": i + (n % 50 == 0) * 200 + 1, "price": 1.5} for i in range(n % 6 + 1)],
            }
            response = await client.post("/orders", json=body, headers={"x-user": "banned" if n % 90 == 0 else "ann"})
            seen[response.status_code] = seen.get(response.status_code, 0) + 1
            if response.status_code == 201:
                again = await client.get(f"/orders/{response.json()['number']}")
                assert again.json()["customer"] == body["customer"]
    print(seen)


asyncio.run(main())
