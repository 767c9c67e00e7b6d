"""Surveys: answers come with their own set of questions and are checked, typed and counted."""
import collections
import dataclasses
import random

TYPES = {"n": int, "t": str, "f": float}


def answer_type(questions):
    fields = [(name, TYPES[name[0]], dataclasses.field(default=None)) for name in questions]
    return dataclasses.make_dataclass("Answer", fields, namespace={"full": is_full})


def is_full(self):
    return all(value is not None for value in dataclasses.astuple(self))


def submissions(count):
    rng = random.Random(2)
    forms = [tuple(f"{rng.choice('ntf')}{number}" for number in range(4 + form)) for form in range(6)]
    for number in range(count):
        questions = forms[number % len(forms)]
        yield questions, {name: rng.randrange(9) for name in questions if rng.random() > 0.02}


class Statistics:
    def __init__(self):
        self.full = 0
        self.by_length = collections.Counter()
        self.last = collections.deque(maxlen=400)

    def add(self, answer):
        self.full += answer.full()
        self.by_length[len(dataclasses.fields(answer))] += 1
        self.last.append(answer)


def run(count):
    statistics = Statistics()
    for questions, given in submissions(count):
        Answer = answer_type(questions)
        statistics.add(Answer(**given))
    return statistics.full, sorted(statistics.by_length.items())


if __name__ == "__main__":
    print(*run(700))
