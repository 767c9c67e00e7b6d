"""The first hit in each file; a reader stays open in case the user asks for the next."""
import io


class Searches:
    def __init__(self):
        self.open = {}

    def first(self, key, text, word):
        hits = self.hits(text, word)
        self.open[key] = hits
        return next(hits, None)

    @staticmethod
    def hits(text, word):
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if word in line:
                yield number


searches, found = Searches(), 0
for user in range(5_000):
    text = "\n".join(f"user {user} did thing {k}" for k in range(100))
    found += searches.first(user, text, "thing 5") or 0
print(found)
