"""An order service: orders go through a state machine; the machine notes each transition."""
import time


class Machine:
    """States and transitions of one kind of thing; shared by all of them."""

    def __init__(self, transitions, debug=False):
        self.transitions = transitions
        self.debug = debug
        self.trace = []

    def step(self, thing, event):
        source = thing.state
        target = self.transitions[source, event]
        if self.debug:
            self.trace.append({"thing": thing.number, "event": event, "from": source, "to": target, "at": time.time()})
        thing.state = target
        return target


class Order:
    __slots__ = ("number", "state", "total")

    def __init__(self, number, total):
        self.number = number
        self.state = "new"
        self.total = total


ORDER = Machine({
    ("new", "pay"): "paid",
    ("paid", "pack"): "packed",
    ("packed", "send"): "sent",
    ("sent", "arrive"): "done",
    ("paid", "cancel"): "refunded",
})


def handle(number):
    order = Order(number, number * 7 % 300)
    ORDER.step(order, "pay")
    if order.total < 12:
        ORDER.step(order, "cancel")
        return 0
    for event in ("pack", "send", "arrive"):
        ORDER.step(order, event)
    return order.total


def main():
    turnover = 0
    for number in range(150_000):
        turnover += handle(number)
    print(turnover)


main()
