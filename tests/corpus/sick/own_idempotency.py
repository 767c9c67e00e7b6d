"""A payment API: a client may repeat a request with the same key, and gets the same answer."""
import collections
import hashlib
import json


class Payments:
    def __init__(self, remember):
        self.remember = remember
        self.answers = collections.OrderedDict()
        self.booked = 0

    def post(self, key, body):
        answer = self.answers.get(key)
        if answer is not None:
            return answer
        answer = self.book(json.loads(body))
        self.answers[key] = answer
        if len(answer) > self.remember:
            self.answers.popitem(last=False)
        return answer

    def book(self, payment):
        self.booked += payment["cents"]
        return json.dumps({"status": "booked", "id": self.booked, "echo": payment, "lines": [
            {"account": f"{side}-{payment['account']}", "cents": payment["cents"]} for side in ("debit", "credit")]})


def requests(count):
    for number in range(count):
        body = json.dumps({"account": number % 800, "cents": number * 13 % 5000, "text": f"invoice {number}"})
        key = hashlib.blake2s(body.encode(), digest_size=8).hexdigest()
        yield key, body
        if number % 20 == 0:
            yield key, body


def main():
    payments = Payments(remember=500)
    size = 0
    for key, body in requests(30_000):
        size += len(payments.post(key, body))
    print(payments.booked, size)


if __name__ == "__main__":
    main()
