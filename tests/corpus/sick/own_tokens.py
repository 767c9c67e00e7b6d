"""Log messages are turned into word numbers, to find messages that are alike."""
import random
import re

WORD = re.compile(r"\w+")


class Vocabulary:
    def __init__(self):
        self.numbers = {}

    def number(self, word):
        return self.numbers.setdefault(word, len(self.numbers))

    def encode(self, text):
        return [self.number(word) for word in WORD.findall(text)]


def message(number, rng):
    kind = rng.choice(["opened", "closed", "refused", "moved"])
    return f"connection c{number} from host{rng.randrange(100_000)} {kind} after {rng.random():.9f} seconds by user{rng.randrange(10 ** 8)}"


def main():
    rng = random.Random(14)
    vocabulary = Vocabulary()
    shapes = {}
    for number in range(70_000):
        numbers = vocabulary.encode(message(number, rng))
        shapes[len(numbers)] = shapes.get(len(numbers), 0) + 1
    print(shapes)


main()
