"""A web service asked many times within one process: items, a search, an error."""
import falcon
from falcon import testing

ITEMS = {n: {"id": n, "name": f"item {n}", "price": n * 3 % 97} for n in range(500)}


class Items:
    def on_get(self, req, resp):
        low = req.get_param_as_int("low", default=0)
        resp.media = [item for item in ITEMS.values() if item["price"] >= low][:20]


class Item:
    def on_get(self, req, resp, number):
        if number not in ITEMS:
            raise falcon.HTTPNotFound(description=f"no item {number}")
        resp.media = ITEMS[number]

    def on_put(self, req, resp, number):
        ITEMS[number] = {"id": number, **req.get_media()}


app = falcon.App()
app.add_route("/items", Items())
app.add_route("/items/{number:int}", Item())
client = testing.TestClient(app)
seen = {}
for n in range(1200):
    answer = (client.simulate_get("/items", params={"low": n % 90}) if n % 3 == 0 else
              client.simulate_get(f"/items/{n % 700}") if n % 3 == 1 else
              client.simulate_put(f"/items/{n % 500}", json={"name": f"new {n}", "price": n % 50}))
    seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
print(seen)
