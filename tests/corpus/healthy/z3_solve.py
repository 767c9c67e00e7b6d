"""Puzzles by z3."""

import z3

tot = 0
for n in range(4, 8):
    for rep in range(3):
        Q = [z3.Int(f"q{i}") for i in range(n)]
        s = z3.Solver()
        s.add([z3.And(1 <= q, q <= n) for q in Q])
        s.add(z3.Distinct(Q))
        s.add([z3.If(i == j, True, z3.And(Q[i] - Q[j] != i - j, Q[i] - Q[j] != j - i)) for i in range(n) for j in range(i)])
        if s.check() == z3.sat:
            m = s.model()
            tot += sum(m[q].as_long() for q in Q)
print(tot)
