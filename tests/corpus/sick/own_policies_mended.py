"""Access checks: each request loads the caller's policy, asks it some questions and forgets it."""
import functools
import random

ACTIONS = ("read", "write", "delete", "share")


class Policy:
    def __init__(self, user, grants):
        self.user = user
        self.grants = grants
        self.checks = 0

    def allowed(self, action, path):
        self.checks += 1
        best = ""
        for prefix, actions in self.grants.items():
            if path.startswith(prefix) and len(prefix) > len(best) and action in actions:
                best = prefix
        return bool(best)


class Store:
    def __init__(self, users, seed):
        self.users = users
        self.rng = random.Random(seed)

    def load(self, user):
        rng = random.Random(user)
        grants = {}
        for number in range(30):
            grants[f"/team{rng.randrange(20)}/{user}/{number}"] = set(rng.sample(ACTIONS, 2))
        return Policy(user, grants)


def request(store):
    user = store.rng.randrange(store.users)
    policy = store.load(user)
    path = f"/team{store.rng.randrange(20)}/{user}/{store.rng.randrange(30)}"
    answers = [policy.allowed(action, path) for action in ACTIONS]
    return any(answers)


def main():
    store = Store(500, 31)
    granted = sum(request(store) for _ in range(6000))
    print(granted)


if __name__ == "__main__":
    main()
