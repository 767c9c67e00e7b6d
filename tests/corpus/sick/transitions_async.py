"""A state machine for each order."""
import asyncio

from transitions.extensions.asyncio import AsyncMachine

states = ["new", "paid", "sent"]
moves = [{"trigger": "pay", "source": "new", "dest": "paid"}, {"trigger": "send", "source": "paid", "dest": "sent"}]


class Order:
    pass


async def main():
    for i in range(20_000):
        order = Order()
        AsyncMachine(model=order, states=states, initial="new", transitions=moves, auto_transitions=False)
        await order.pay()
        await order.send()


asyncio.run(main())
