"""Names typed by users are compared with a list of cities, by edit distance."""
import functools
import random

CITIES = ["amsterdam", "rotterdam", "eindhoven", "groningen", "maastricht", "leeuwarden", "haarlem", "enschede"]


def cost(a, b, i, j, known):
    if i == 0 or j == 0:
        return i + j
    if (i, j) not in known:
        if a[i - 1] == b[j - 1]:
            known[i, j] = cost(a, b, i - 1, j - 1, known)
        else:
            known[i, j] = 1 + min(cost(a, b, i - 1, j, known), cost(a, b, i, j - 1, known), cost(a, b, i - 1, j - 1, known))
    return known[i, j]


def distance(a, b):
    return cost(a, b, len(a), len(b), {})


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
