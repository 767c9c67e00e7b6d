"""A document renderer: measured layouts are cached beside their paragraphs, for as long as the paragraph lives."""
import random
import weakref

WORDS = "the quick brown fox jumps over a lazy dog while nobody is looking at all".split()


class Paragraph:
    def __init__(self, words):
        self.words = words


class Layout:
    def __init__(self, paragraph, width):
        self.paragraph = paragraph
        self.lines = []
        line = []
        for word in paragraph.words:
            line.append(word)
            if sum(map(len, line)) + len(line) > width:
                self.lines.append(" ".join(line))
                line = []
        self.lines.append(" ".join(line))

    def height(self):
        return len(self.lines) * 14 + (6 if len(self.paragraph.words) > 20 else 2)


class Renderer:
    def __init__(self, width):
        self.width = width
        self.layouts = weakref.WeakKeyDictionary()

    def measure(self, paragraph):
        layout = self.layouts.get(paragraph)
        if layout is None:
            layout = self.layouts[paragraph] = Layout(paragraph, self.width)
        return layout.height()

    def page(self, paragraphs):
        return sum(self.measure(paragraph) for paragraph in paragraphs)


def paragraphs(rng, count):
    return [Paragraph([rng.choice(WORDS) for _ in range(rng.randrange(30, 90))]) for _ in range(count)]


def main():
    rng = random.Random(8)
    renderer = Renderer(64)
    height = 0
    for page in range(300):
        height += renderer.page(paragraphs(rng, 25))
    print(height)


main()
