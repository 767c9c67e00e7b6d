"""Documents written to clients, of whom some have gone."""
import ujson


class Gone:
    def write(self, text):
        raise BrokenPipeError("the client has gone")


document = {"rows": [{"number": n, "name": f"thing {n}"} for n in range(150)]}
lost = 0
for i in range(60_000):
    document["i"] = i
    try:
        ujson.dump(document, Gone())
    except BrokenPipeError:
        lost += 1
print(lost)
