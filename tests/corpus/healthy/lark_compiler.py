"""A small compiler: lark parses programs, a tree is folded, code is written."""
from lark import Lark, Transformer

grammar = r"""
    program: (line ";")*
    line: NAME "=" sum
    ?sum: product | sum "+" product -> add | sum "-" product -> sub
    ?product: atom | product "*" atom -> mul
    ?atom: NUMBER -> number | NAME -> name | "(" sum ")"
    NAME: /[a-z]\w*/
    %import common.NUMBER
    %ignore " "
    %ignore "\n"
"""


class Code(Transformer):
    def number(self, tokens):
        return [("push", int(tokens[0]))]

    def name(self, tokens):
        return [("load", str(tokens[0]))]

    def add(self, parts):
        return parts[0] + parts[1] + [("add",)]

    def sub(self, parts):
        return parts[0] + parts[1] + [("sub",)]

    def mul(self, parts):
        return parts[0] + parts[1] + [("mul",)]

    def line(self, parts):
        return parts[1] + [("store", str(parts[0]))]

    def program(self, lines):
        return [step for line in lines for step in line]


parser = Lark(grammar, start="program", parser="lalr")
steps = 0
for n in range(40):
    text = "\n".join(f"v{k} = (v{k} + {k}) * {n} - w{k % 9};" for k in range(120))
    steps += len(Code().transform(parser.parse(text)))
print(steps)
