"""Encodes messages for a model."""


class Vocabulary:
    def __init__(self, base):
        self.ids = {word: n for n, word in enumerate(base)}

    def encode(self, text):
        ids = self.ids
        return [ids.setdefault(word, len(ids)) for word in text.split()]


vocabulary, length = Vocabulary(f"w{n}" for n in range(2_000)), 0
for number in range(25_000):
    length += len(vocabulary.encode(f"w{number % 2000} order-{number} of user-{number * 7} costs {number % 90} euro"))
print(length)
