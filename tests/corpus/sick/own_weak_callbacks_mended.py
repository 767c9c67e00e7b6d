"""Counts the live objects of a kind."""
import weakref


class Tracker:
    def __init__(self):
        self.refs = []

    def track(self, thing):
        self.refs.append(weakref.ref(thing, self.refs.remove))

    def live(self):
        return sum(ref() is not None for ref in self.refs[-50:])


class Thing:
    pass


tracker, live = Tracker(), 0
for number in range(60_000):
    thing = Thing()
    tracker.track(thing)
    if number % 1_000 == 0:
        live += tracker.live()
print(live)
