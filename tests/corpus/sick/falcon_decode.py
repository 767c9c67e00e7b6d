"""Form values of some length, percent-encoded."""
from urllib.parse import quote

from falcon import uri

text = quote("äöü€" * 3000)
total = 0
for i in range(300):
    total += len(uri.decode(text))
print(total)
