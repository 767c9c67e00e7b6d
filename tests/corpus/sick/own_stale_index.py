"""A search index over documents that change."""


class Search:
    def __init__(self):
        self.index, self.documents = {}, {}

    def put(self, key, text):
        old = self.documents.get(key)
        self.documents[key] = text
        for word in text.split():
            self.index.setdefault(word, set()).add(key)

    def find(self, word):
        return len(self.index.get(word, ()))


search, found = Search(), 0
for number in range(30_000):
    search.put(number % 100, f"document {number % 100} version v{number} by author{number * 31}")
    found += search.find("document")
print(found)
