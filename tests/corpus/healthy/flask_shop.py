"""A shop in Flask: sessions, middleware, templates, a cache of product pages; a few thousand requests."""

import functools
import random
import time

from flask import Flask, g, jsonify, redirect, render_template_string, request, session

PRODUCTS = {n: {"id": n, "name": f"Product {n}", "price": 3 + n % 90, "text": "a fine thing " * (5 + n % 20)} for n in range(800)}
PAGE = """<html><body><h1>{{ p.name }}</h1><p>{{ p.text }}</p><b>{{ p.price }}</b>
<ul>{% for o in others %}<li><a href="/p/{{ o.id }}">{{ o.name }}</a></li>{% endfor %}</ul></body></html>"""

app = Flask(__name__)
app.secret_key = "not a secret"
TIMES = {"count": 0, "sum": 0.0, "most": 0.0}


class Header:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, environ, start_response):
        def start(status, headers, exc_info=None):
            return start_response(status, [*headers, ("X-Shop", "1")], exc_info)

        return self.inner(environ, start)


app.wsgi_app = Header(app.wsgi_app)


@app.before_request
def begin():
    g.began = time.perf_counter()


@app.after_request
def end(response):
    took = time.perf_counter() - g.began
    TIMES["count"] += 1
    TIMES["sum"] += took
    TIMES["most"] = max(TIMES["most"], took)
    return response


@functools.lru_cache(maxsize=256)
def similar(number):
    price = PRODUCTS[number]["price"]
    return [p for p in PRODUCTS.values() if p["price"] == price][:8]


@app.get("/p/<int:number>")
def product(number):
    if number not in PRODUCTS:
        return "no such product", 404
    return render_template_string(PAGE, p=PRODUCTS[number], others=similar(number))


@app.post("/cart")
def cart():
    items = session.setdefault("cart", [])
    items.append(int(request.form["id"]))
    session["cart"] = items[-10:]
    return redirect("/cart")


@app.get("/cart")
def show():
    items = [PRODUCTS[n] for n in session.get("cart", ())]
    return jsonify(items=items, total=sum(p["price"] for p in items))


def main():
    rng = random.Random(7)
    clients = [app.test_client() for _ in range(20)]
    for _ in range(2500):
        client = rng.choice(clients)
        kind = rng.random()
        if kind < 0.7:
            assert client.get(f"/p/{rng.randrange(820)}").status_code in (200, 404)
        elif kind < 0.85:
            assert client.post("/cart", data={"id": rng.randrange(800)}).status_code == 302
        else:
            assert client.get("/cart").status_code == 200
    print(TIMES["count"], "requests")


main()
