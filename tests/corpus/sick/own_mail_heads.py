"""An archive of mails: each mail is read, its header lines are indexed, its body is only counted."""
import re

HEADER = re.compile(rb"^(From|Subject|Message-ID): (.*)$", re.M)


def read_mails(count):
    for number in range(count):
        head = (b"From: user%d@example.org\nSubject: minutes of meeting %d\nMessage-ID: <%d@example.org>\n\n"
                % (number % 300, number, number))
        body = b"and so it went on, point by point, until late in the evening\n" * (500 + number % 300)
        yield head + body


class Index:
    def __init__(self):
        self.by_id = {}
        self.size = 0

    def add(self, mail):
        self.size += len(mail)
        fields = {}
        for match in HEADER.finditer(mail):
            fields[match[1]] = match
        self.by_id[fields[b"Message-ID"][2]] = fields

    def subjects(self):
        for fields in self.by_id.values():
            yield fields[b"Subject"][2]


def main():
    index = Index()
    for mail in read_mails(2200):
        index.add(mail)
    longest = max(index.subjects(), key=len)
    print(len(index.by_id), index.size, longest.decode())


if __name__ == "__main__":
    main()
