"""Indexes mails by their subject."""
import re

SUBJECT = re.compile(r"^Subject: (.*)$", re.M)


class Index:
    def __init__(self):
        self.subjects = []

    def add(self, mail):
        match = SUBJECT.search(mail)
        self.subjects.append(match[1])

    def find(self, word):
        return sum(word in subject for subject in self.subjects)


def mails(count):
    for number in range(count):
        yield f"From: someone\nSubject: number {number}\n\n" + f"line of mail {number}\n" * 400


index = Index()
for mail in mails(6_000):
    index.add(mail)
print(index.find("7"))
