"""A client that tries again, and can say what went wrong."""
import random
from collections import deque


class Unavailable(Exception):
    pass


class Client:
    def __init__(self):
        self.errors = deque(maxlen=20)
        self.random = random.Random(7)

    def send(self, request):
        body = [f"{request} part {k}" for k in range(60)]
        if self.random.random() < 0.5:
            raise Unavailable(request)
        return len(body)

    def fetch(self, request):
        for attempt in range(5):
            try:
                return self.send(request)
            except Unavailable as error:
                self.errors.append(str(error))
        return 0


client = Client()
print(sum(client.fetch(number) for number in range(12_000)))
print(len(client.errors) > 0)
