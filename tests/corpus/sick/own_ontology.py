"""An ontology is loaded once; queries then make short-lived lists of matches."""
import random


class Term:
    def __init__(self, name, parents):
        self.name = name
        self.parents = parents
        self.notes = {"seen": [], "tags": [name]}


def load(count):
    rng = random.Random(3)
    terms = []
    for number in range(count):
        parents = [terms[rng.randrange(number)] for _ in range(2)] if number > 10 else []
        terms.append(Term(f"term-{number}", parents))
    return terms


def ready():
    pass


def query(terms, rng):
    found = []
    for _ in range(30):
        term = terms[rng.randrange(len(terms))]
        found.append([(parent, [parent.name]) for parent in term.parents])
    return found


def main():
    rng = random.Random(5)
    terms = load(350_000)
    ready()
    results = []
    for number in range(9000):
        results.append(query(terms, rng))
        if len(results) > 3000:
            results = results[-1000:]
    print(len(results))


main()
