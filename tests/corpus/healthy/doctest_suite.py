"""A test suite of doctests and unittest cases over a small library, run a few times."""
import doctest
import io
import types
import unittest
import fractions


def mixed(f):
    """Whole and rest.

    >>> mixed(fractions.Fraction(7, 3))
    (2, Fraction(1, 3))
    >>> [mixed(fractions.Fraction(n, 4))[0] for n in range(12)]
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    """
    return f.numerator // f.denominator, f - f.numerator // f.denominator


class Fractions(unittest.TestCase):
    def setUp(self):
        self.table = [fractions.Fraction(n, d) for n in range(1, 30) for d in range(1, 30)]

    def test_sum(self):
        self.assertEqual(sum(self.table[:29]), sum(fractions.Fraction(1, d) for d in range(1, 30)))

    def test_order(self):
        self.assertEqual(sorted(self.table, reverse=True)[-1], fractions.Fraction(1, 29))

    def test_mixed(self):
        for f in self.table:
            whole, rest = mixed(f)
            with self.subTest(f=f):
                self.assertEqual(whole + rest, f)


runs = 0
for _ in range(12):
    runs += doctest.testmod(verbose=False).attempted
    for name in ("test_sum", "test_order", "test_mixed"):
        runs += unittest.TextTestRunner(stream=io.StringIO()).run(Fractions(name)).testsRun
print(runs)
