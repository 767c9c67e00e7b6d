"""Many small simulations of agents on a grid."""
import numpy as np


class Agent:
    def __init__(self, grid, x, y):
        self.grid = grid
        self.x, self.y = x, y
        self.energy = 10.0

    def step(self):
        cells = self.grid.cells
        for dx, dy in ((1, 0), (0, 1)):
            other = cells[(self.x + dx) % cells.shape[0], (self.y + dy) % cells.shape[1]]
            if other is not None and other.energy > self.energy:
                self.energy += 0.5
        self.energy -= 0.25


class Grid:
    def __init__(self, size, seed):
        self.cells = np.empty((size, size), dtype=object)
        self.agents = []
        rng = np.random.default_rng(seed)
        for x, y in rng.integers(0, size, (40, 2)):
            agent = Agent(self, int(x), int(y))
            self.cells[x, y] = agent
            self.agents.append(agent)

    def run(self, steps):
        for _ in range(steps):
            for agent in self.agents:
                agent.step()
        return sum(agent.energy for agent in self.agents)

    def close(self):
        self.cells[:] = None
        self.agents.clear()


def main():
    energies = []
    for seed in range(700):
        grid = Grid(48, seed)
        energies.append(grid.run(10))
        grid.close()
    print(round(max(energies), 2))


main()
