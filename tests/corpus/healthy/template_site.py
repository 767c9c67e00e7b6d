"""A static site: pages are read, turned into HTML by templates of the standard library, written."""
import html
import re
import string
import tempfile
from pathlib import Path

PAGE = string.Template("<html><head><title>$title</title></head><body>$body<ul>$links</ul></body></html>")
LINK = re.compile(r"\[\[(\w+)\]\]")


def render(text):
    body = html.escape(text)
    return LINK.sub(lambda m: f'<a href="{m[1]}.html">{m[1]}</a>', body).replace("\n\n", "</p><p>")


with tempfile.TemporaryDirectory() as folder:
    out = Path(folder)
    pages = {f"page{n}": f"About {n}\n\n" + " ".join(f"See [[page{(n * k) % 300}]]." for k in range(1, 40)) for n in range(300)}
    for turn in range(12):
        back = {}
        for name, text in pages.items():
            for other in LINK.findall(text):
                back.setdefault(other, []).append(name)
        for name, text in pages.items():
            links = "".join(f"<li>{other}</li>" for other in back.get(name, []))
            (out / f"{name}.html").write_text(PAGE.substitute(title=name, body=render(text), links=links))
    print(len(list(out.iterdir())))
