"""An interpreter for a small Lisp, running programs with closures."""
import operator


class Scope(dict):
    def __init__(self, names=(), values=(), outer=None):
        super().__init__(zip(names, values))
        self.outer = outer

    def find(self, name):
        return self[name] if name in self else self.outer.find(name)


def read(tokens):
    token = tokens.pop(0)
    if token == "(":
        made = []
        while tokens[0] != ")":
            made.append(read(tokens))
        tokens.pop(0)
        return made
    try:
        return int(token)
    except ValueError:
        return token


def run(x, scope):
    while True:
        if isinstance(x, str):
            return scope.find(x)
        if not isinstance(x, list):
            return x
        if x[0] == "if":
            x = x[2] if run(x[1], scope) else x[3]
        elif x[0] == "define":
            scope[x[1]] = run(x[2], scope)
            return None
        elif x[0] == "lambda":
            return lambda *given, names=x[1], body=x[2], at=scope: run(body, Scope(names, given, at))
        else:
            work, *given = [run(part, scope) for part in x]
            return work(*given)


for n in range(8):
    world = Scope(["+", "-", "<", "*"], [operator.add, operator.sub, operator.lt, operator.mul])
    for text in ("(define fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))))",
                 "(define adder (lambda (n) (lambda (m) (+ n m))))", "(define three (adder 3))"):
        run(read(text.replace("(", " ( ").replace(")", " ) ").split()), world)
    print(run(["fib", 15 + n % 3], world), run(["three", n], world))
