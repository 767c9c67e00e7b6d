"""Which node of a cluster each key belongs to."""
from coredis.typing import Key

spread = [0] * 4
for n in range(150_000):
    spread[Key(f"session:{n}").slot % 4] += 1
print(spread)
