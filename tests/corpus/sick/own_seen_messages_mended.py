"""Messages come twice now and then."""
import hashlib


class Inbox:
    seen = {}

    def take(self, message):
        key = hashlib.sha1(message).hexdigest()
        if key in self.seen:
            return 0
        self.seen[key] = None
        if len(self.seen) > 1_000:
            del self.seen[next(iter(self.seen))]
        return len(message)


inbox = Inbox()
print(sum(inbox.take(b"message %d" % (number - number % 2)) for number in range(360_000)))
