"""Layouts are kept as long as their page."""
import weakref


class Page:
    def __init__(self, number):
        self.number = number
        self.words = [f"{number} {k}" for k in range(30)]


class Layout:
    def __init__(self, page):
        self.page = page
        self.lines = [page.words[k:k + 5] for k in range(0, 30, 5)]


layouts = weakref.WeakKeyDictionary()


def layout(page):
    if page not in layouts:
        layouts[page] = Layout(page)
    return layouts[page]


print(sum(len(layout(Page(number)).lines) for number in range(20_000)))
