"""Loads a census of 120,000 people with places and families into objects, as an application does at its start, then answers."""

import csv
import io
import random
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class Person:
    number: int
    name: str
    born: int
    place: "Place"


@dataclass
class Place:
    name: str
    people: list = field(default_factory=list)


def text(rows):
    rng, out = random.Random(2), io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["number", "name", "born", "place"])
    for n in range(rows):
        writer.writerow([n, f"name{rng.randrange(10**6)}", rng.randrange(1930, 2024), f"place{int(rng.expovariate(1 / 120))}"])
    return out.getvalue()


def load(data):
    places, people = {}, {}
    for row in csv.DictReader(io.StringIO(data)):
        place = places.get(row["place"])
        if place is None:
            place = places[row["place"]] = Place(row["place"])
        person = Person(int(row["number"]), row["name"], int(row["born"]), place)
        place.people.append(person)
        people[person.number] = person
    return places, people


def main():
    places, people = load(text(80_000))
    oldest = {place.name: min(place.people, key=lambda p: p.born).name for place in places.values()}
    by_year = defaultdict(int)
    for person in people.values():
        by_year[person.born] += 1
    asked = random.Random(4)
    neighbours = sum(len(people[asked.randrange(80_000)].place.people) for _ in range(50_000))
    print(len(oldest), max(by_year.items(), key=lambda kv: kv[1]), neighbours)


main()
