"""Sums in a precision of their own."""
import gmpy2

total = 0.0
for n in range(600_000):
    with gmpy2.ieee(64):
        total += float(gmpy2.mpfr(n))
print(total)
