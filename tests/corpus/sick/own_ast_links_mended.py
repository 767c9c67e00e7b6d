"""Counts calls below loops in many modules."""
import ast

SOURCE = "\n".join(f"def f{n}(x):\n    for k in range(x):\n        g(k, x + {n})\n    return [h(y) for y in x]" for n in range(12))


class Tree:
    def __init__(self, source):
        self.root = ast.parse(source)
        self.parents = {id(child): node for node in ast.walk(self.root) for child in ast.iter_child_nodes(node)}

    def below(self, node, kind):
        while node is not None:
            if isinstance(node, kind):
                return True
            node = self.parents.get(id(node))
        return False

    def calls(self):
        return sum(isinstance(node, ast.Call) and self.below(node, ast.For) for node in ast.walk(self.root))


print(sum(Tree(SOURCE).calls() for _ in range(350)))
