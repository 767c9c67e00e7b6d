"""Layouts of pages are kept as long as the page lives."""
import weakref

LAYOUTS = weakref.WeakKeyDictionary()


class Page:
    def __init__(self, words):
        self.words = words

    def width(self, word):
        return len(word) * 7


class Layout:
    def __init__(self, measure, words):
        self.measure = measure
        self.lines = [measure(word) for word in words]


def layout_of(page):
    found = LAYOUTS.get(page)
    if found is None:
        found = LAYOUTS[page] = Layout(page.width, page.words)
    return found


total = 0
for number in range(14_000):
    page = Page([f"word{k}" for k in range(30)])
    total += sum(layout_of(page).lines)
print(total)
