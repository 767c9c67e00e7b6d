"""Tables written as JSON, keys that are no texts skipped."""
import simplejson

size = 0
for n in range(60_000):
    size += len(simplejson.dumps({"name": f"thing {n}", (n, "x"): "not a text", "price": n * 1.5}, skipkeys=True, sort_keys=True))
print(size)
