"""A chain of inlineCallbacks that waits for deferreds, with data in its frames."""
from twisted.internet import defer

waiting, answers = [], []


@defer.inlineCallbacks
def fetch(number):
    page = bytes(20_000)
    later = defer.Deferred()
    waiting.append(later)
    answer = yield later
    return len(page) + answer


@defer.inlineCallbacks
def handle(number):
    first = yield fetch(number)
    return first + number


total = 0
for i in range(200_000):
    handle(i).addCallback(answers.append)
    waiting.pop().callback(i)
    total += answers.pop()
print(total)
