"""A bank's day: accounts keep their entries, since statements are printed from them in the evening."""
import random


class Account:
    def __init__(self, number):
        self.number, self.balance, self.entries = number, 0, []

    def post(self, amount, text):
        self.balance += amount
        self.entries.append((amount, text, self.balance))

    def statement(self):
        return "\n".join(f"{amount:>10} {text:<30} {balance:>10}" for amount, text, balance in self.entries)


rng = random.Random(13)
accounts = {n: Account(n) for n in range(2000)}
for n in range(150_000):
    payer, payee = rng.sample(range(2000), 2)
    amount = rng.randrange(1, 500)
    accounts[payer].post(-amount, f"to {payee} for {n}")
    accounts[payee].post(amount, f"from {payer} for {n}")
print(sum(len(account.statement()) for account in accounts.values()) > 0)
