"""A vocabulary that keeps each word it ever saw."""
import time


class Vocabulary:
    def __init__(self):
        self.ids = {}

    def number(self, word):
        if word not in self.ids:
            self.ids[word] = len(self.ids)                  # culprit
        return self.ids[word]


WORDS = Vocabulary()
end, n, total = time.monotonic() + 2.2, 0, 0
while time.monotonic() < end:
    for _ in range(60):
        total += WORDS.number(f"word {n} of a text that never comes again, as long as it is")
        n += 1
    time.sleep(0.001)
print(total > 0)
