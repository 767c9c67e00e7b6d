"""A help desk's bot: each dialogue is a generator that is sent the user's answers; many users leave in the middle."""
import random
import time

QUESTIONS = ["name", "order", "problem", "since when", "photo", "phone"]


def dialogue(user):
    answers = {}
    context = [f"{user}: {line} of the manual" for line in range(60)]
    for question in QUESTIONS:
        answers[question] = yield question
    return len(answers) + len(context)


class Desk:
    def __init__(self):
        self.talks = {}
        self.finished = 0
        self.number = 0

    def begin(self, user):
        self.number += 1
        talk = dialogue(user)
        next(talk)
        self.talks[self.number] = talk
        return self.number

    def say(self, number, words):
        try:
            return self.talks[number].send(words)
        except StopIteration:
            self.finished += 1
            del self.talks[number]
            return None

    def leave(self, number):
        return number


def user(desk, rng, name):
    number = desk.begin(name)
    patience = rng.randrange(1, 12)
    for step in range(len(QUESTIONS)):
        if step == patience:
            desk.leave(number)
            return False
        desk.say(number, f"answer {step}")
    return True


def main():
    rng = random.Random(9)
    desk = Desk()
    happy = 0
    for hour in range(80):
        happy += sum(user(desk, rng, f"user-{hour}-{n}") for n in range(60))
        time.sleep(0.008)
    print(happy, desk.finished)


main()
