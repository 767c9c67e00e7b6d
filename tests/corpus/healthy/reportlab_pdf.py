"""A report of many pages to PDF, and read again."""

from pypdf import PdfReader, PdfWriter
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

s = getSampleStyleSheet()
n = 0
for d in range(4):
    st = []
    for i in range(60):
        st += [
            Paragraph(f"Sec {i}", s["Heading2"]),
            Paragraph("lorem ipsum <b>dolor</b> " * 40, s["BodyText"]),
            Table([[k, k * 2, f"v{k}"] for k in range(10)]),
            Spacer(1, 12),
        ]
    SimpleDocTemplate(f"d{d}.pdf", invariant=1).build(st)
w = PdfWriter()
for d in range(4):
    r = PdfReader(f"d{d}.pdf")
    for p in r.pages:
        n += len(p.extract_text())
        w.add_page(p)
w.write("all.pdf")
print(n, len(w.pages))
