"""Tickets of a waiting room expire unless they are renewed."""
import asyncio


class Ticket:
    def __init__(self, number):
        self.number = number
        self.state = "waiting"
        self.history = [f"ticket {number} made"]

    def expire(self):
        self.state = "expired"
        self.history.append("expired")

    def renew(self, reason):
        self.history.append(f"renewed: {reason} " * 4)


async def hold(number):
    ticket = Ticket(number)
    for reason in ("call", "mail", "visit"):
        ticket.renew(reason)
    if number % 3:
        ticket.expire()
    await asyncio.sleep(0)
    return len(ticket.history)


async def main():
    total = 0
    for start in range(0, 60_000, 100):
        total += sum(await asyncio.gather(*(hold(n) for n in range(start, start + 100))))
    print(total)


asyncio.run(main())
