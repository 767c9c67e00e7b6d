"""Accounts kept as events: each command appends to the journal, a projection follows it, and the end replays it all."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    number: int
    account: str
    kind: str
    amount: int


class Journal:
    def __init__(self):
        self._events = []

    def append(self, account, kind, amount):
        event = Event(len(self._events), account, kind, amount)
        self._events.append(event)
        return event

    def since(self, number):
        return self._events[number:]


class Balances:
    def __init__(self):
        self.at, self.of = 0, {}

    def follow(self, journal):
        for event in journal.since(self.at):
            sign = 1 if event.kind == "paid in" else -1
            self.of[event.account] = self.of.get(event.account, 0) + sign * event.amount
            self.at = event.number + 1


def main():
    rng, journal, balances = random.Random(11), Journal(), Balances()
    for n in range(200_000):
        journal.append(f"account-{rng.randrange(3000)}", rng.choice(("paid in", "paid out")), rng.randrange(1, 500))
        if n % 250 == 0:
            balances.follow(journal)
    balances.follow(journal)
    replayed = Balances()
    replayed.follow(journal)
    assert replayed.of == balances.of
    print(len(replayed.of), sum(replayed.of.values()))


main()
