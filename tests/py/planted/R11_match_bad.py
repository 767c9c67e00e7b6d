"""The subject of each mail is kept as a match, and with it the mail."""
import re
import time

SUBJECT = re.compile("^Subject: .*$", re.M)


def subject(number):
    mail = f"From: someone\nSubject: number {number}\n\n" + f"line of mail {number}\n" * 200
    return SUBJECT.search(mail)                             # culprit


SUBJECTS = [subject(i) for i in range(1_500)]
time.sleep(0.2)
print(len(SUBJECTS))
