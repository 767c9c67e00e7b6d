"""An agent model with its data collector."""

import mesa


class Person(mesa.Agent):
    def __init__(self, model):
        super().__init__(model)
        self.wealth = 10

    def trade(self):
        if self.wealth > 0:
            other = self.random.choice(self.model.people)
            other.wealth += 1
            self.wealth -= 1


class Money(mesa.Model):
    def __init__(self, n):
        super().__init__()
        Person.create_agents(self, n)
        self.people = list(self.agents)
        self.collector = mesa.DataCollector(model_reporters={"gini": self.gini}, agent_reporters={"wealth": "wealth"})

    def gini(self):
        x = sorted(a.wealth for a in self.people)
        n = len(x)
        s = sum(x)
        return 1 + 1 / n - 2 * sum(v * (n - i) for i, v in enumerate(x)) / (n * s)

    def step(self):
        self.agents.shuffle_do("trade")
        self.collector.collect(self)


m = Money(400)
for _ in range(300):
    m.step()
frame = m.collector.get_agent_vars_dataframe()
print(len(frame), round(m.collector.get_model_vars_dataframe().gini.iloc[-1], 3))
