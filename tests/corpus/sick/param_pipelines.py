"""A reactive table, and a view of it for each visitor."""
import param

table = param.rx(list(range(3_000)))
total = 0
for visitor in range(6_000):
    rows = table[visitor % 100:visitor % 100 + 50]
    total += len(rows.rx.value)
print(total)
