"""Workers with a cache each, in thread-local state."""
import threading
from concurrent.futures import ThreadPoolExecutor

local = threading.local()


def layout(text):
    return [word.upper() for word in text.split()] * 4


def render(number):
    if not hasattr(local, "pages"):
        local.pages = {}
    text = f"page {number} of a book"
    if text not in local.pages:
        local.pages[text] = layout(text)
    return len(local.pages[text])


with ThreadPoolExecutor(4) as pool:
    total = 0
    for start in range(0, 60_000, 1_000):
        total += sum(pool.map(render, range(start, start + 1_000)))
print(total)
