"""An editor keeps an undo stack for each document that is open; documents come and go."""
import random
import weakref

stacks = weakref.WeakKeyDictionary()


class Document:
    def __init__(self, text):
        self.text = text
        self.changes = 0

    def replace(self, at, new):
        old = self.text[at:at + len(new)]
        self.text = self.text[:at] + new + self.text[at + len(new):]
        self.changes += 1
        stack = stacks.get(self)
        if stack is None:
            stack = stacks[self] = UndoStack(self)
        stack.push(at, old)


class UndoStack:
    def __init__(self, document):
        self.document = weakref.ref(document)
        self.entries = []

    def push(self, at, old):
        self.entries.append((at, old))
        del self.entries[:-100]

    def undo(self):
        at, old = self.entries.pop()
        document = self.document()
        document.text = document.text[:at] + old + document.text[at + len(old):]


def edit(number, rng):
    document = Document(f"document {number} " * 400)
    for _ in range(25):
        document.replace(rng.randrange(5000), f"<{number}>")
    stacks[document].undo()
    return document.changes


def main():
    rng = random.Random(1)
    changes = 0
    for number in range(6000):
        changes += edit(number, rng)
    print(changes)


if __name__ == "__main__":
    main()
