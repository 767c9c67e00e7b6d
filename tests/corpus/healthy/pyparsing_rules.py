"""A language of conditions: each rule is parsed, folded and evaluated on records; only counts are kept."""
import random

import pyparsing as pp

random.seed(4)
pp.ParserElement.enable_packrat()
number = pp.pyparsing_common.number()
name = pp.Word(pp.alphas, pp.alphanums)
compare = pp.Group((name | number) + pp.one_of("< > = !=") + (name | number))
rule = pp.infix_notation(compare, [("not", 1, pp.OpAssoc.RIGHT), ("and", 2, pp.OpAssoc.LEFT), ("or", 2, pp.OpAssoc.LEFT)])


def value(token, record):
    return record[token] if isinstance(token, str) else token


def holds(tree, record):
    if len(tree) == 3 and tree[1] in ("<", ">", "=", "!="):
        a, b = value(tree[0], record), value(tree[2], record)
        return {"<": a < b, ">": a > b, "=": a == b, "!=": a != b}[tree[1]]
    if tree[0] == "not":
        return not holds(tree[1], record)
    parts = [holds(part, record) for part in tree[0::2]]
    return all(parts) if tree[1] == "and" else any(parts)


records = [{k: random.randrange(100) for k in "abcd"} for _ in range(60)]
hits = 0
for n in range(250):
    a, b, c = (random.choice("abcd") for _ in range(3))
    tree = rule.parse_string(f"{a} < {n % 90} and ({b} > {n % 40} or not {c} = {n % 10})", parse_all=True)[0].as_list()
    hits += sum(holds(tree, record) for record in records)
print(hits)
