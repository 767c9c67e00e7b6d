"""Messages come twice now and then."""
import hashlib


class Inbox:
    seen = set()

    def take(self, message):
        key = hashlib.sha1(message).hexdigest()
        if key in self.seen:
            return 0
        self.seen.add(key)
        return len(message)


inbox = Inbox()
print(sum(inbox.take(b"message %d" % (number - number % 2)) for number in range(360_000)))
