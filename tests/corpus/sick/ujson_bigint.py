"""Numbers of a ledger, wider than 64 bits."""
import ujson

text, total = "[" + ", ".join(str(10**30 + n) for n in range(200)) + "]", 0
for n in range(4_000):
    total += ujson.loads(text)[n % 200]
print(total)
