"""Adds up the harmonic series with 300 bits."""
import gmpy2

gmpy2.get_context().precision = 300
total = gmpy2.mpfr(0)
for n in range(1, 300_000):
    total += 1 / gmpy2.mpfr(n)
print(str(total)[:20])
