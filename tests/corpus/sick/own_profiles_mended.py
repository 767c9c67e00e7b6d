"""Player profiles: nearly all have nothing but defaults."""
import random

DEFAULT = {
    "title": None, "banner": None, "frame": None, "pet": None, "mount": None, "guild": None, "badge": None,
    "theme": "plain", "volume": 70, "language": "en", "chat": True, "trade": True, "duel": True, "mail": True,
    "tips": True, "grid": False, "zoom": 1, "names": True, "blood": True, "shake": True,
}


class Profile:
    __slots__ = ("player", "fields")

    def __init__(self, player, given):
        self.player = player
        self.fields = given

    def get(self, name):
        return self.fields.get(name, DEFAULT[name])


def load(count):
    rng = random.Random(5)
    profiles = []
    for player in range(count):
        given = {"volume": rng.randrange(100)} if rng.random() < 0.3 else {}
        profiles.append(Profile(player, given))
    return profiles


def loud(profiles):
    return sum(1 for profile in profiles if profile.get("volume") > 80)


PROFILES = load(60_000)
for _ in range(20):
    print(loud(PROFILES), end=" ")
print()
