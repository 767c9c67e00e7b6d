"""A load test against a stand-in of the payment client."""
from unittest import mock


class Shop:
    def __init__(self, client):
        self.client = client

    def order(self, number):
        self.client.pay(amount=number, currency="EUR", note=f"order {number}")
        return 1


client = mock.MagicMock()
shop, orders = Shop(client), 0
for number in range(12_000):
    orders += shop.order(number)
    if number % 100 == 99:
        client.reset_mock()
print(orders)
