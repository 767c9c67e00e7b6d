"""A catalogue in XML: parsed piece by piece, transformed by XSLT, looked up by XPath, written again."""

import io

from lxml import etree

STYLE = etree.XSLT(
    etree.fromstring("""<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/book"><li><b><xsl:value-of select="title"/></b> <xsl:for-each select="author">
<i><xsl:value-of select="."/></i></xsl:for-each></li></xsl:template></xsl:stylesheet>""")
)


def catalogue(count):
    out = io.BytesIO()
    with etree.xmlfile(out) as file, file.element("catalogue"):
        for n in range(count):
            book = etree.Element("book", id=str(n), year=str(1950 + n % 75))
            etree.SubElement(book, "title").text = f"The book number {n}"
            for a in range(n % 3 + 1):
                etree.SubElement(book, "author").text = f"Author {n * 7 % 500 + a}"
            file.write(book)
    return out.getvalue()


def main():
    data, pages, years = catalogue(12_000), [], {}
    for _, book in etree.iterparse(io.BytesIO(data), tag="book"):
        years[book.get("year")] = years.get(book.get("year"), 0) + 1
        if book.xpath("count(author) > 2"):
            pages.append(str(STYLE(etree.ElementTree(book))))
        book.clear()
        while book.getprevious() is not None:
            del book.getparent()[0]
    page = etree.HTML("<ul>" + "".join(pages) + "</ul>")
    print(len(years), len(page.xpath("//li")), len(etree.tostring(page)))


main()
