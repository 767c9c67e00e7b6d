"""Workers ask a shared registry, which often says no."""
from multiprocessing.managers import BaseManager


class Registry:
    def take(self, name):
        raise KeyError(name)


class Manager(BaseManager):
    pass


Manager.register("Registry", Registry)

if __name__ == "__main__":
    with Manager() as manager:
        registry, refused = manager.Registry(), 0
        for number in range(6_000):
            payload = bytearray(20_000)
            try:
                registry.take(f"{number} {len(payload)}")
            except KeyError:
                refused += 1
        print(refused)
