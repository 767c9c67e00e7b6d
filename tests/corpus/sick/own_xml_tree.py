"""A document model; documents are short-lived."""
class Element:
    def __init__(self, tag, parent=None):
        self.tag, self.parent, self.children = tag, parent, []
        if parent is not None:
            parent.children.append(self)

    def depth(self):
        return 0 if self.parent is None else self.parent.depth() + 1


def document(number):
    root = Element(f"document {number}")
    for k in range(12):
        part = Element("part", root)
        for _ in range(5):
            Element("line", part)
    return part.children[0].depth()


print(sum(document(number) for number in range(9_000)))
