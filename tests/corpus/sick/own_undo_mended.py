"""An editor that can undo each change."""
import collections


class Editor:
    def __init__(self):
        self.cells = {k: f"cell {k}" for k in range(300)}
        self.undo_steps = collections.deque(maxlen=50)

    def change(self, key, value):
        before = dict(self.cells)

        def undo():
            self.cells = before
        self.undo_steps.append(undo)
        self.cells[key] = value


editor = Editor()
for n in range(6_000):
    editor.change(n % 300, f"value {n}")
print(len(editor.cells))
