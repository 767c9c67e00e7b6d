"""A command shell over a key-value store, fed with a script."""

import cmd
import io
import random


class Shell(cmd.Cmd):
    prompt = ""

    def __init__(self, script):
        super().__init__(stdin=script, stdout=io.StringIO())
        self.use_rawinput = False
        self.data, self.undo = {}, []

    def do_set(self, line):
        k, v = line.split(" ", 1)
        self.undo.append((k, self.data.get(k)))
        del self.undo[:-100]
        self.data[k] = v

    def do_get(self, line):
        self.stdout.write(self.data.get(line, "?") + "\n")

    def do_undo(self, line):
        if self.undo:
            k, v = self.undo.pop()
            self.data.pop(k, None) if v is None else self.data.__setitem__(k, v)

    def do_clear(self, line):
        self.stdout.seek(0)
        self.stdout.truncate()

    def do_EOF(self, line):
        return True


random.seed(1)


def lines():
    for i in range(200000):
        r = random.random()
        yield (
            f"set k{random.randrange(3000)} value {i}\n"
            if r < 0.5
            else f"get k{random.randrange(3000)}\n"
            if r < 0.95
            else "undo\n"
            if r < 0.999
            else "clear\n"
        )


class Script:
    def __init__(self):
        self.it = lines()

    def readline(self):
        return next(self.it, "")


s = Shell(Script())
s.cmdloop()
print(len(s.data))
