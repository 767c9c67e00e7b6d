"""A game's lobby: everybody comes at the opening, and is placed in a match later."""
import random


class Lobby:
    def __init__(self):
        self.waiting = {}
        self.matches = 0

    def enter(self, player, rank):
        self.waiting[player] = rank

    def place(self, size):
        team = []
        for player in list(self.waiting)[:size * 500]:
            team.append(self.waiting.pop(player))
            if len(team) == size:
                self.matches += 1
                team.clear()

    def tidy(self):
        self.waiting = dict(self.waiting)


def evening(players):
    rng = random.Random(9)
    lobby = Lobby()
    for number in range(players):
        lobby.enter(number, rng.randrange(3000))
    return lobby


lobby = evening(900_000)
while len(lobby.waiting) > 2000:
    lobby.place(10)
lobby.tidy()
scores = {}
for hour in range(200):
    for player in list(lobby.waiting)[:1500]:
        scores[player] = scores.get(player, 0) + hour
print(lobby.matches, len(lobby.waiting), sum(scores.values()))
