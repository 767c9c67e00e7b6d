"""Messages of which many are broken, read item by item."""
import ijson.backends.yajl2_c as ijson

broken = 0
for n in range(3_000):
    try:
        next(ijson.items(b"message %d is no JSON" % n, "item"))
    except ijson.common.JSONError:
        broken += 1
print(broken)
