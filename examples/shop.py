"""A small shop that answers requests, and whose memory grows: an example to run under memsure.

    memsure run examples/shop.py [REQUESTS]

Each request looks a product up, builds its page and remembers the visit. Four habits of real
programs are in it, each in a class or function of its own:

    Prices    a cache that forgets: at most 500 entries, however long the shop is open
    Views     a cache that never forgets: its key holds the visitor, so hardly any entry is used twice
    Tag       a tree whose children know their parent: only the garbage collector can free it
    listing   a text that grows by +=, and is thrown away

It uses nothing but the standard library, and every run makes the same requests.
"""

import random
import sys
from collections import OrderedDict


class Product:
    def __init__(self, number):
        self.number = number
        self.name = f"product {number}"
        self.words = [f"word {number * 7 % k}" for k in range(11, 17)]


class Prices:
    """The price of a product, computed at most once while it is among the last 500."""

    def __init__(self, size=500):
        self.size = size
        self.known = OrderedDict()

    def of(self, product):
        price = self.known.pop(product.number, None)
        if price is None:
            price = sum(len(word) for word in product.words) / 4
        self.known[product.number] = price
        if len(self.known) > self.size:
            self.known.popitem(last=False)
        return price


class Views:
    """What a visitor saw of a product, to show it again without building it anew."""

    def __init__(self):
        self.seen = {}

    def get(self, visitor, product):
        key = visitor, product.number
        if key not in self.seen:
            self.seen[key] = "".join(f"<li>{word} for {visitor}</li>" for word in product.words)
        return self.seen[key]


class Tag:
    """A part of a page."""

    def __init__(self, name, text="", parent=None):
        self.name = name
        self.text = text
        self.parent = parent
        self.children = []
        if parent:
            parent.children.append(self)

    def html(self):
        inside = "".join(child.html() for child in self.children)
        return f"<{self.name}>{self.text}{inside}</{self.name}>"


def page(product, view, price):
    body = Tag("body")
    Tag("h1", product.name, body)
    Tag("ul", view, body)
    for text in (f"{price:.2f}", "in stock", "to the shop"):
        Tag("b", text, Tag("p", parent=body))
    return body.html()


def listing(products):
    text = ""
    for product in products:
        text = text + product.name + ", "
    return text


CATALOGUE = [Product(number) for number in range(2000)]
PRICES = Prices()
VIEWS = Views()


def answer(visitor, product):
    return page(product, VIEWS.get(visitor, product), PRICES.of(product))


def main(requests):
    chance = random.Random(1)
    sent = 0
    for request in range(requests):
        product = chance.choice(CATALOGUE)
        visitor = f"visitor {chance.randrange(100_000)}"
        sent += len(answer(visitor, product))
        if request % 100 == 0:
            sent += len(listing(CATALOGUE[:200]))
    print(f"{requests:,} requests, {sent:,} characters sent")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
