"""A tenth of a second of orders: each client's are kept."""


class Orders:
    def __init__(self):
        self.of = {}

    def put(self, client, text):
        self.of.setdefault(client, []).append(text * 3)         # culprit


orders = Orders()
for n in range(150_000):
    orders.put(n // 3, f"order {n}")
print(n > 0)
