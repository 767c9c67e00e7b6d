"""A table of measurements, read from text again and again."""
import io

import pandas as pd

text, rows = "station,month,rain\n" + "".join(f"s{n % 50},{n % 12},{n / 7:.3f}\n" for n in range(1_500)), 0
for n in range(600):
    rows += len(pd.read_csv(io.StringIO(text)))
print(rows)
