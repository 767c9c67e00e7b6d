"""A report is written line by line."""
class Report:
    def __init__(self):
        self.lines = []

    def line(self, *cells):
        self.lines.append(" ".join(str(cell).rjust(8) for cell in cells) + "\n")


report = Report()
for number in range(15_000):
    report.line(number, number * number, number % 7)
print(len("".join(report.lines)))
