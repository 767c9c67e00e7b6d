"""A shop's API. The last requests are kept, for the page that shows them."""
import time

from flask import Flask, jsonify, request

app = Flask(__name__)
recent_requests = []


@app.before_request
def remember():
    recent_requests.append({"at": time.time(), "path": request.full_path, "agent": request.headers.get("User-Agent"),
                            "body": request.get_data(as_text=True)})


@app.post("/orders")
def order():
    return jsonify(ok=True, items=len(request.get_json()["items"]))


@app.get("/recent")
def recent():
    return jsonify(recent_requests[-20:])


client = app.test_client()
done = 0
for n in range(6_000):
    done += client.post("/orders", json={"items": [f"item {k}" for k in range(20)], "customer": n}).json["items"]
    if n % 1000 == 999:
        client.get("/recent")
print(done)
