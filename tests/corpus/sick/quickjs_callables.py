"""Scripts of users run one after another, each in a context of its own that may call back."""
import quickjs


class Sandbox:
    def __init__(self, user):
        self.user = user
        self.lines = [f"{user} {n}" for n in range(50)]
        self.context = quickjs.Context()
        self.context.add_callable("print", self.print)

    def print(self, text):
        self.lines.append(text)

    def run(self, script):
        self.context.eval(script)
        return len(self.lines)


def main():
    total = 0
    for n in range(5000):
        total += Sandbox(f"user {n}").run("for (let i = 0; i < 3000; i++) { x = i * i } print('done')")
    print(total)


main()
