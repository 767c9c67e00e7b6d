"""How often is each page read?"""
from collections import defaultdict

reads = defaultdict(lambda: [0, 0])


def popular(page):
    return reads[page][0] > 100


def read(page):
    if popular(page):
        return "from the front shelf"
    if page.startswith("book"):
        reads[page][0] += 1
    return "from the stacks"


front = 0
for number in range(160_000):
    front += read(f"scan {number}") == "from the front shelf"
    front += read(f"book {number % 50}") == "from the front shelf"
print(front)
