"""An interpreter of a small language."""

import re
import sys

TOK = re.compile(r"\s*(?:(\d+\.?\d*)|([A-Za-z_]\w*)|(==|<=|>=|!=|.))")
SRC = """
fn fib(n) { if n < 2 { return n; } return fib(n-1) + fib(n-2); }
fn main(k) { let i = 0; let s = 0; while i < k { s = s + fib(i - (i/12)*12); i = i + 1; } return s; }
"""


def lex(s):
    p = 0
    s = s.strip()
    out = []
    while p < len(s):
        m = TOK.match(s, p)
        p = m.end()
        if m[1]:
            out.append(("n", int(m[1])))
        elif m[2]:
            out.append(("i", m[2]))
        else:
            out.append(("o", m[3]))
    out.append(("e", ""))
    return out


class P:
    BP = {"==": 1, "!=": 1, "<": 2, ">": 2, "<=": 2, ">=": 2, "+": 3, "-": 3, "*": 4, "/": 4}

    def __init__(s, t):
        s.t, s.i = t, 0

    def pk(s):
        return s.t[s.i]

    def nx(s):
        s.i += 1
        return s.t[s.i - 1]

    def ex(s, v):
        t = s.nx()
        assert t[1] == v, (t, v)

    def prog(s):
        f = {}
        while s.pk()[0] != "e":
            s.ex("fn")
            n = s.nx()[1]
            s.ex("(")
            a = []
            while s.pk()[1] != ")":
                a.append(s.nx()[1])
                if s.pk()[1] == ",":
                    s.nx()
            s.ex(")")
            f[n] = (a, s.block())
        return f

    def block(s):
        s.ex("{")
        b = []
        while s.pk()[1] != "}":
            b.append(s.stmt())
        s.ex("}")
        return b

    def stmt(s):
        k = s.pk()[1]
        if k == "if":
            s.nx()
            return ("if", s.expr(), s.block())
        if k == "while":
            s.nx()
            return ("while", s.expr(), s.block())
        if k == "return":
            s.nx()
            e = s.expr()
            s.ex(";")
            return ("ret", e)
        if k == "let":
            s.nx()
        n = s.nx()[1]
        s.ex("=")
        e = s.expr()
        s.ex(";")
        return ("set", n, e)

    def expr(s, bp=0):
        t = s.nx()
        if t[0] == "n":
            l = ("num", t[1])
        elif t[1] == "(":
            l = s.expr()
            s.ex(")")
        elif s.pk()[1] == "(":
            s.nx()
            a = []
            while s.pk()[1] != ")":
                a.append(s.expr())
                if s.pk()[1] == ",":
                    s.nx()
            s.ex(")")
            l = ("call", t[1], a)
        else:
            l = ("var", t[1])
        while s.BP.get(s.pk()[1], 0) > bp:
            o = s.nx()[1]
            l = ("bin", o, l, s.expr(s.BP[o]))
        return l


class Ret(Exception):
    pass


class Env:
    def __init__(s, up=None):
        s.v = {}
        s.up = up


def ev(e, env, fs):
    k = e[0]
    if k == "num":
        return e[1]
    if k == "var":
        return env.v[e[1]]
    if k == "call":
        a, b = fs[e[1]]
        n = Env(env)
        n.v.update(zip(a, [ev(x, env, fs) for x in e[2]]))
        try:
            run(b, n, fs)
        except Ret as r:
            return r.args[0]
        return 0
    l, r = ev(e[2], env, fs), ev(e[3], env, fs)
    return {
        "+": lambda: l + r,
        "-": lambda: l - r,
        "*": lambda: l * r,
        "/": lambda: l // r,
        "<": lambda: l < r,
        ">": lambda: l > r,
        "==": lambda: l == r,
        "!=": lambda: l != r,
        "<=": lambda: l <= r,
        ">=": lambda: l >= r,
    }[e[1]]()


def run(b, env, fs):
    for s in b:
        if s[0] == "if":
            if ev(s[1], env, fs):
                run(s[2], env, fs)
        elif s[0] == "while":
            while ev(s[1], env, fs):
                run(s[2], env, fs)
        elif s[0] == "ret":
            raise Ret(ev(s[1], env, fs))
        else:
            env.v[s[1]] = ev(s[2], env, fs)


fs = P(lex(SRC)).prog()
t = 0
for i in range(3):
    t += ev(("call", "main", [("num", 600)]), Env(), fs)
big = "\n".join(f"fn f{i}(a,b) {{ let x = a*{i}+b; while x > 10 {{ x = x - 1; }} return x; }}" for i in range(3000))
g = P(lex(big)).prog()
print(t, len(g), ev(("call", "f7", [("num", 3), ("num", 2)]), Env(), g))
