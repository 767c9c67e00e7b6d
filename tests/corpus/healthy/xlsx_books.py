"""Workbooks with formulas and charts."""

import xlsxwriter

for b in range(3):
    wb = xlsxwriter.Workbook(f"b{b}.xlsx")
    f = wb.add_format({"bold": 1})
    for s in range(3):
        ws = wb.add_worksheet()
        for r in range(1500):
            for c in range(10):
                ws.write(r, c, r * c if c % 2 else f"t{r % 50}", f if r == 0 else None)
        ch = wb.add_chart({"type": "line"})
        ch.add_series({"values": f"=Sheet{s + 1}!$B$1:$B$50"})
        ws.insert_chart("M2", ch)
    wb.close()
print("ok")
