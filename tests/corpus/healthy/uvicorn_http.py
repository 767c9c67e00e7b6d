"""FastAPI behind uvicorn, with dependencies and background tasks."""

import socket
import threading
import time

import httpx
import uvicorn
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException
from pydantic import BaseModel


class Item(BaseModel):
    id: int
    name: str
    tags: list[str] = []
    price: float = 0


app = FastAPI()
ITEMS = {}


def session():
    s = {"q": []}
    yield s


@app.post("/items")
def put(i: Item, s=Depends(session)):
    ITEMS[i.id] = i
    return i


@app.get("/items/{k}")
async def get(k: int, s=Depends(session)):
    if k not in ITEMS:
        raise HTTPException(404)
    return ITEMS[k]


@app.get("/list")
def lst(limit: int = 20):
    return [ITEMS[k] for k in sorted(ITEMS)[:limit]]


s = socket.socket()
s.bind(("127.0.0.1", 0))
port = s.getsockname()[1]
srv = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
t = threading.Thread(target=srv.run, kwargs={"sockets": [s]})
t.start()
while not srv.started:
    time.sleep(0.01)
n = 0
with httpx.Client(base_url=f"http://127.0.0.1:{port}") as c:
    for i in range(120):
        n += c.post("/items", json={"id": i % 80, "name": f"n{i}", "tags": ["a", "b"]}).status_code
        n += len(c.get(f"/items/{i % 80}").content)
        n += c.get(f"/items/{i + 5000}").status_code
        if i % 5 == 0:
            n += len(c.get("/list").content)
srv.should_exit = True
t.join()
print(n)
