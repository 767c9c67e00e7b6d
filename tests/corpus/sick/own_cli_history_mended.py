"""A calculator for long scripts."""
import argparse
import copy


class Calculator:
    def __init__(self):
        self.names, self.history = {}, []

    def command(self, text):
        name, _, value = text.partition("=")
        self.history.append(copy.copy(self.names))
        del self.history[:-20]
        self.names[name] = int(value) + len(self.names)

    def undo(self):
        self.names = self.history.pop()


parser = argparse.ArgumentParser()
parser.add_argument("--commands", type=int, default=9_000)
calculator = Calculator()
for number in range(parser.parse_args().commands):
    calculator.command(f"n{number % 60}={number}")
calculator.undo()
print(len(calculator.names))
