"""A feed by four of the parsers of the standard library."""

import html.parser
import io
import xml.dom.minidom as md
import xml.etree.ElementTree as E
import xml.sax

doc = (
    "<rss><channel>"
    + "".join(f"<item id='{i}'><title>T {i}</title><d>{'x' * 200}</d><c>a</c><c>b</c></item>" for i in range(20000))
    + "</channel></rss>"
)
n = 0
for ev, el in E.iterparse(io.BytesIO(doc.encode()), ("end",)):
    if el.tag == "item":
        n += len(el.findall("c"))
        el.clear()


class H(xml.sax.ContentHandler):
    c = 0

    def startElement(s, a, b):
        s.c += 1


h = H()
xml.sax.parseString(doc.encode(), h)
for i in range(20):
    d = md.parseString("<rss><channel>" + "<item a='1'><b>c</b></item>" * 100 + "</channel></rss>")
    n += len(d.getElementsByTagName("b"))
    d.unlink()
print(n, h.c)
