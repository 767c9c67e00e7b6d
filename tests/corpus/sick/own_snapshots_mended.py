"""A simulation that remembers each state."""
class World:
    def __init__(self):
        self.state = {k: k % 5 for k in range(1_000)}
        self.history = []

    def step(self, number):
        self.history[:] = [dict(self.state)]
        self.state[number % 1_000] += 1


world = World()
for number in range(2_500):
    world.step(number)
print(sum(world.state.values()), len(world.history) > 0)
