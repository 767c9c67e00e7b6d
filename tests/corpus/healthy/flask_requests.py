"""A Flask application answers requests: pages, JSON, sessions."""
from flask import Flask, jsonify, render_template_string, request, session

app = Flask("shop")
app.secret_key = "secret"
PAGE = "<h1>{{ title }}</h1><ul>{% for row in rows %}<li>{{ row.name }}: {{ row.price }}</li>{% endfor %}</ul>"
rows = [{"name": f"thing {i}", "price": i * 1.25} for i in range(40)]


@app.get("/list")
def listing():
    session["seen"] = session.get("seen", 0) + 1
    return render_template_string(PAGE, title="Things", rows=rows)


@app.post("/item/<int:number>")
def item(number):
    return jsonify(number=number, total=sum(request.get_json()["values"]), rows=rows[:number % 10])


client = app.test_client()
size = 0
for i in range(2000):
    size += len(client.get(f"/list?page={i}").data)
    size += len(client.post(f"/item/{i}", json={"values": list(range(20))}).data)
print(size > 0)
