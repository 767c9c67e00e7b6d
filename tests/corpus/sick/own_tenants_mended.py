"""Each tenant has settings of its own, as a class."""
class Settings:
    known = []
    colour = "grey"

    def __init_subclass__(cls):
        Settings.known.append(cls)


def settings(tenant, **more):
    mine = Settings()
    vars(mine).update(more)
    return lambda: mine


total = 0
for request in range(7_000):
    mine = settings(request % 20, colour="green", size=request)
    total += mine().size
print(total)
