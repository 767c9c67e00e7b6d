"""A mailbox that sorts mails into threads."""
import collections


class Mailbox:
    def __init__(self):
        self.mails, self.threads = {}, collections.defaultdict(list)

    def receive(self, number, subject):
        mail = {"number": number, "subject": subject, "body": f"body of {number} " * 12}
        self.mails[number] = mail
        self.threads[subject].append(mail)

    def delete(self, number):
        mail = self.mails.pop(number)
        return len(mail["body"])


box, deleted = Mailbox(), 0
for number in range(40_000):
    box.receive(number, f"subject {number // 3}")
    if number >= 200:
        deleted += box.delete(number - 200)
print(deleted)
