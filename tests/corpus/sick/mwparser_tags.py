"""Wiki pages with markup that is never closed."""
import mwparserfromhell

text = "".join(f"<b name{n}='x'>word " for n in range(6))
size = 0
for n in range(6000):
    size += len(mwparserfromhell.parse(f"page {n} {text}", skip_style_tags=True).nodes)
print(size)
