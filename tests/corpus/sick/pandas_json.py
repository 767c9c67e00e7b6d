"""Daily prices, given out as JSON."""
import pandas as pd

size = 0
for n in range(400):
    frame = pd.DataFrame({"price": [12.34]}, index=pd.date_range("2019-01-01", "2019-10-01", freq="D", tz="UTC"))
    size += len(frame.reset_index().to_json())
print(size)
