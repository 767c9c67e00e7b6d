"""Circles among objects: which of some garbage hold each other, and over which attributes.

circles(garbage) finds the strongly connected parts among the objects (Tarjan, without recursion, one pass over
their references), and words one circle of each: `Node.children[0].parent`, which is that Node again. What only
hangs on a circle is in none. A class is a circle by nature (it is in its own __mro__): parts with a class in them
are left out. Nothing is called on the objects but what `object` itself defines.
"""

import gc


def circles(garbage, left_out=lambda type: False):
    """-> (objects in circles, [(how often, words, members)], most often first), or None where there is none.
    `left_out(type)`: a part with such an object is passed over."""
    number, forms = 0, {}
    for part in parts(garbage):
        if any(isinstance(x, type) or left_out(type(x)) for x in part):
            continue
        part = [x for x in part if not is_attributes(x, part)] or part
        number += len(part)
        words = circle(part)
        known = forms.setdefault((words, members(part)), [0])
        known[0] += 1
    found = sorted(((n, *key) for key, (n,) in forms.items()), key=lambda f: (-f[0], f[1]))
    return (number, found) if found else None


def parts(objects):
    """The strongly connected parts of two or more objects, and single ones that refer to themselves."""
    index = {id(x): i for i, x in enumerate(objects)}

    def references(i):
        return [index[id(y)] for y in gc.get_referents(objects[i]) if id(y) in index]

    seen, low, on, stack, out = {}, {}, set(), [], []
    for root in range(len(objects)):
        if root in seen:
            continue
        seen[root] = low[root] = len(seen)
        stack.append(root)
        on.add(root)
        walk = [(root, references(root), 0)]
        while walk:
            v, to, at = walk.pop()
            while at < len(to):
                w = to[at]
                at += 1
                if w not in seen:
                    seen[w] = low[w] = len(seen)
                    stack.append(w)
                    on.add(w)
                    walk.append((v, to, at))
                    walk.append((w, references(w), 0))
                    break
                if w in on:
                    low[v] = min(low[v], seen[w])
            else:
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[v])
                if low[v] == seen[v]:
                    part = []
                    while True:
                        w = stack.pop()
                        on.discard(w)
                        part.append(w)
                        if w == v:
                            break
                    if len(part) > 1 or v in to:
                        out.append([objects[w] for w in reversed(part)])
    return out


def attributes(x):
    """The __dict__ of an object, or None."""
    try:
        found = object.__getattribute__(x, "__dict__")
    except Exception:
        return None
    return found if type(found) is dict else None


def is_attributes(x, part):
    return type(x) is dict and any(attributes(y) is x for y in part if y is not x)


PLAIN = (dict, list, tuple, set)


def circle(part):
    """Words for the shortest circle from the object that says most: one of a class, if there is one."""
    ids = {id(x): x for x in part}
    start = next((x for x in part if type(x).__module__ != "builtins"), None) or next((x for x in part if type(x) not in PLAIN), part[0])
    came, waiting = {}, [start]
    for x in waiting:  # it grows
        for y in inner(x):
            if y is start:
                way = [(x, y)]
                while x is not start:
                    x, y = came[id(x)], x
                    way.append((x, y))
                words = name(start) + "".join(edge(a, b) for a, b in reversed(way))
                return f"{words} is the same {name(start)}"
            if id(y) in ids and id(y) not in came:
                came[id(y)] = x
                waiting.append(y)
    return name(start)


def inner(x):
    """What x refers to; instead of its __dict__, what that does."""
    own = attributes(x)
    out = []
    for y in gc.get_referents(x):
        if y is own:
            out += gc.get_referents(y)
        else:
            out.append(y)
    return out


def name(x):
    if isinstance(x, type):
        return x.__name__
    kind = type(x)
    said = kind.__qualname__.rpartition("<locals>.")[2]
    if kind.__name__ in ("function", "builtin_function_or_method", "method"):
        called = getattr(x, "__name__", None)
        return f"{said} {called}" if called else said
    if kind.__name__ == "frame":
        return f"frame of {x.f_code.co_name}"
    return said


ATTRIBUTES = ("__self__", "__func__", "__closure__", "cell_contents", "__traceback__", "__context__", "__cause__", "tb_frame", "tb_next",
              "gi_frame", "cr_frame", "ag_frame", "f_back", "__wrapped__", "func", "args", "keywords", "__defaults__", "__kwdefaults__", "__dict__")


def edge(a, b):
    """How code would write the step from a to b: '.parent', '[3]', "['key']"."""
    own = attributes(a)
    if own is not None:
        for key, value in own.items():
            if value is b:
                return f".{key}" if type(key) is str else f"[{name(key)}]"
    if isinstance(a, dict):
        for key, value in dict.items(a):
            if value is b:
                return f"[{key!r}]" if type(key) in (str, int, bool) and len(repr(key)) <= 40 else f"[{name(key)}]"
        return " key"
    if isinstance(a, (list, tuple)):
        return next((f"[{i}]" for i, value in enumerate(a) if value is b), "[i]")
    kind = type(a)
    if kind.__name__ == "frame":
        return next((f".{key}" for key, value in a.f_locals.items() if value is b), " local")
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            member = base.__dict__.get(f"_{base.__name__.lstrip('_')}{slot}" if slot.startswith("__") and not slot.endswith("__") else slot)
            if type(member).__name__ == "member_descriptor" and held(member, a) is b:
                return f".{slot}"
    for word in ATTRIBUTES:
        member = next((base.__dict__[word] for base in kind.__mro__ if word in base.__dict__), None)
        if type(member).__name__ in ("member_descriptor", "getset_descriptor") and held(member, a) is b:
            return f".{word}"
    return f" → {name(b)}"


def held(member, x):
    try:
        return member.__get__(x)
    except Exception:
        return None


def members(part):
    """'1 Node, 1 list'"""
    counts = {}
    for x in part:
        said = name(x)
        counts[said] = counts.get(said, 0) + 1
    rows = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    return ", ".join(f"{n} {said}" for said, n in rows[:4]) + (", ..." if len(rows) > 4 else "")
