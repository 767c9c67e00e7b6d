"""Pages parsed with lxml and Beautiful Soup, links and texts taken out."""
import lxml.html
from bs4 import BeautifulSoup

page = "<html><body>" + "".join(f"<div class='row'><a href='/item/{n}'>thing {n}</a><p>text <b>{n}</b></p></div>"
                                for n in range(150)) + "</body></html>"
links, words = set(), 0
for i in range(120):
    tree = lxml.html.fromstring(page.replace("/item/", f"/item/{i}/"))
    links.update(str(a.get("href")) for a in tree.iter("a"))
    words += sum(len(text.split()) for text in tree.itertext())
    if i % 4 == 0:
        soup = BeautifulSoup(page, "lxml")
        words += sum(len(p.get_text().split()) for p in soup.select("div.row > p"))
print(len(links), words)
