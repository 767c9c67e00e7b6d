"""A parameter sweep: each run of the model is done with when its last step is."""
import mesa


class Wealth(mesa.Agent):
    def __init__(self, model):
        super().__init__(model)
        self.wealth = [10] * 4

    def step(self):
        other = self.model.random.choice(self.model.people)
        if self.wealth[0] > 0:
            other.wealth[0] += 1
            self.wealth[0] -= 1


class Market(mesa.Model):
    def __init__(self, size, seed):
        super().__init__(seed=seed)
        self.people = [Wealth(self) for _ in range(size)]

    def step(self):
        self.agents.shuffle_do("step")


def rich(size, seed):
    market = Market(size, seed)
    for _ in range(3):
        market.step()
    most = max(p.wealth[0] for p in market.people)
    market.remove_all_agents()
    return most


def main():
    best = 0
    for seed in range(1500):
        best = max(best, rich(60, seed))
    print(best)


main()
