"""Links of many small pages."""
from selectolax.lexbor import LexborHTMLParser

page, links = "<html><body>" + "<p class=x><a href=/n>next</a> text</p>" * 100 + "</body></html>", 0
for n in range(2_500):
    links += len(LexborHTMLParser(page.replace("next", f"next {n}")).css("a"))
print(links)
