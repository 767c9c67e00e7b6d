"""An editor whose documents hook into events."""
import collections


class Hooks:
    def __init__(self):
        self.table = collections.defaultdict(list)

    def on(self, event):
        def decorate(function):
            self.table[event].append(function)
            return function
        return decorate

    def off(self, event, function):
        self.table[event].remove(function)

    def fire(self, event, *values):
        for function in self.table[event][-2:]:
            function(*values)


hooks = Hooks()


class Document:
    def __init__(self, number):
        self.text = [f"{number}: {n}" for n in range(60)]

        @hooks.on("save")
        def saved(path):
            self.text.append(path)
        self.saved = saved

    def close(self):
        hooks.off("save", self.saved)
        del self.saved


for number in range(6_000):
    document = Document(number)
    hooks.fire("save", f"/tmp/{number}")
    document.close()
print(len(document.text))
