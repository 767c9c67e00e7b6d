"""Names typed by users are compared with a list of cities, by edit distance."""
import functools
import random

CITIES = ["amsterdam", "rotterdam", "eindhoven", "groningen", "maastricht", "leeuwarden", "haarlem", "enschede"]


def distance(a, b):
    @functools.cache
    def cost(i, j):
        if i == 0 or j == 0:
            return i + j
        if a[i - 1] == b[j - 1]:
            return cost(i - 1, j - 1)
        return 1 + min(cost(i - 1, j), cost(i, j - 1), cost(i - 1, j - 1))

    return cost(len(a), len(b))


def typo(rng, word):
    letters = list(word)
    for _ in range(2):
        letters[rng.randrange(len(letters))] = rng.choice("abcdefghijklmnopqrstuvwxyz")
    return "".join(letters)


def main():
    rng = random.Random(2)
    right = 0
    for _ in range(700):
        city = rng.choice(CITIES)
        word = typo(rng, city)
        right += min(CITIES, key=lambda name: distance(word, name)) == city
    print(right)


main()
