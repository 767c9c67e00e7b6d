"""Renders long tables."""


class Page:
    def __init__(self):
        self.parts = {"head": "<table>", "body": ""}
        self.rows = []

    def row(self, cells):
        line = "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        self.rows.append(line)

    def render(self):
        self.parts["body"] = self.parts["body"] or "".join(getattr(self, "rows", ()))
        return self.parts["head"] + self.parts["body"] + "</table>"


length = 0
for number in range(5):
    page = Page()
    for row in range(4_000):
        page.row((number, row, row * 2))
    length += len(page.render())
print(length)
