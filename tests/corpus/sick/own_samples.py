"""Reads measurements and looks for outliers."""
import array
import io


def source(count):
    return io.StringIO("\n".join(f"{n * 0.37 % 91:.4f}" for n in range(count)))


class Series:
    def __init__(self, lines):
        self.values = [float(line) for line in lines]

    def outliers(self, limit):
        return sum(value > limit for value in self.values)


series = Series(source(700_000))
print(series.outliers(90))
