"""The subject of each mail is kept."""
import re
import time

SUBJECT = re.compile("^Subject: .*$", re.M)


def subject(number):
    mail = f"From: someone\nSubject: number {number}\n\n" + f"line of mail {number}\n" * 200
    return SUBJECT.search(mail)[0]


SUBJECTS = [subject(i) for i in range(1_500)]
time.sleep(0.2)
print(len(SUBJECTS))
