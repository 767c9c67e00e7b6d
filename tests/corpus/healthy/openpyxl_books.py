"""Workbooks written and read again."""
import io

from openpyxl import Workbook, load_workbook

cells = 0
for n in range(4):
    book = Workbook()
    sheet = book.active
    sheet.append(["number", "name", "price"])
    for row in range(2500):
        sheet.append([row, f"thing {row % 90}", row * 1.1])
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    cells += sum(1 for row in load_workbook(out, read_only=True).active.iter_rows() for _ in row)
print(cells)
