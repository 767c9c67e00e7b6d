"""The real set: programs as people run them, from installed packages, without network or files
other than their own. Imports and preparation are outside the timing.

    python bench/workloads/real.py NAME [REPEATS]
"""
import glob
import importlib.util
import io
import json
import os
import random

from timing import main, prepare


def sources(package):
    """The text of each Python file of an installed package, in a fixed order."""
    where = importlib.util.find_spec(package).submodule_search_locations[0]
    texts = []
    for path in sorted(glob.glob(os.path.join(where, "*.py"))):
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return texts


@prepare
def black():
    """black (the compiled wheel) over the source of jinja2's sixteen smaller files."""
    import black
    texts = sorted(sources("jinja2"), key=len)[2:18]
    mode = black.Mode()

    def run():
        return sum(len(black.format_str(text, mode=mode)) for text in texts)
    return run


@prepare
def flask():
    """Requests to a small Flask application: routing, a session, JSON, a jinja2 page."""
    from flask import Flask, jsonify, render_template_string, request, session
    app = Flask("bench")
    app.secret_key = "bench"
    page = ("<h1>{{ title }}</h1><ul>{% for row in rows %}<li class='{{ loop.cycle('a', 'b') }}'>"
            "{{ row.name|title }}: {{ '%.2f'|format(row.price) }}</li>{% endfor %}</ul>")
    rows = [{"name": f"thing {i}", "price": i * 1.25} for i in range(40)]

    @app.get("/list")
    def listing():
        session["seen"] = session.get("seen", 0) + 1
        return render_template_string(page, title="Things", rows=rows)

    @app.post("/item/<int:number>")
    def item(number):
        body = request.get_json()
        return jsonify(number=number, total=sum(body["values"]), rows=rows[:number % 10])

    client = app.test_client()

    def run():
        size = 0
        for i in range(150):
            size += len(client.get("/list?page=%d" % i).data)
            size += len(client.post("/item/%d" % i, json={"values": list(range(20))}).data)
        return size > 0    # the session cookie carries a time stamp, so sizes vary a little
    return run


@prepare
def json_batch():
    """A batch job: read records as JSON lines, group, sum, write a report as JSON."""
    chance = random.Random(7)
    lines = "\n".join(json.dumps({
        "id": i, "user": f"user{chance.randrange(2_000)}", "kind": chance.choice("abcdef"),
        "amount": round(chance.random() * 100, 2), "tags": chance.sample("klmnopqrst", 3),
        "where": {"country": chance.choice(["de", "fr", "it"]), "zip": chance.randrange(99_999)}})
        for i in range(30_000))

    def run():
        users, tags = {}, {}
        for line in io.StringIO(lines):
            record = json.loads(line)
            user = users.setdefault(record["user"], {"total": 0.0, "items": [], "places": set()})
            user["total"] += record["amount"]
            user["items"].append((record["id"], record["kind"], record["amount"]))
            user["places"].add((record["where"]["country"], record["where"]["zip"]))
            for tag in record["tags"]:
                tags[tag] = tags.get(tag, 0) + 1
        report = [{"user": name, "total": round(user["total"], 2), "count": len(user["items"]),
                   "best": max(user["items"], key=lambda item: item[2]),
                   "places": sorted(map(list, user["places"]))}
                  for name, user in sorted(users.items())]
        return len(json.dumps({"users": report, "tags": tags}, indent=1))
    return run


@prepare
def pandas():
    """A data frame of strings and numbers: group, join, pivot, apply a Python function."""
    import pandas as pd
    chance = random.Random(11)
    count = 120_000
    frame = pd.DataFrame({
        "shop": [f"shop{chance.randrange(300)}" for _ in range(count)],
        "kind": [chance.choice("abcdefgh") for _ in range(count)],
        "day": [chance.randrange(365) for _ in range(count)],
        "amount": [chance.random() * 100 for _ in range(count)]})
    shops = pd.DataFrame({"shop": [f"shop{i}" for i in range(300)],
                          "area": [i % 12 for i in range(300)]})

    def run():
        joined = frame.merge(shops, on="shop")
        sums = joined.groupby(["area", "kind"])["amount"].agg(["sum", "mean", "max"])
        spread = joined.groupby("shop")["amount"].apply(lambda part: part.max() - part.min())
        table = joined.pivot_table(index="day", columns="kind", values="amount", aggfunc="sum")
        texts = joined["shop"].str.upper().str.cat(joined["kind"], sep="/")
        records = joined.head(15_000).to_dict("records")
        return (len(sums), len(spread), table.shape, texts.nunique(), len(records))
    return run


@prepare
def docutils():
    """A reStructuredText manual of 40 sections, rendered to HTML."""
    from docutils.core import publish_string
    section = """
Section {0}
-----------

Some *text* with ``code``, a `link <https://example.org/{0}>`_ and a reference to [{0}]_.

.. note:: The {0}th note, which goes on for a while so that it has to be wrapped somewhere.

- an item
- another, with a sub list:

  1. one
  2. two

=====  =====  ======
a      b      a or b
=====  =====  ======
False  True   True
True   {0}      True
=====  =====  ======

.. [{0}] The citation of section {0}.

.. code:: python

   def function_{0}(argument):
       return [item * {0} for item in argument]
"""
    text = "Manual\n======\n" + "".join(section.format(i) for i in range(40))

    def run():
        return len(publish_string(text, writer="html5",
                                  settings_overrides={"_disable_config": True}))
    return run


if __name__ == "__main__":
    main(default_repeats=3)
