"""Reports made with polars."""
import polars as pl

total = 0.0
for day in range(40):
    frame = pl.DataFrame({"shop": [n % 50 for n in range(20_000)], "price": [(n * 7 + day) % 1000 / 10 for n in range(20_000)]})
    report = frame.lazy().filter(pl.col("price") > 20).group_by("shop").agg(pl.col("price").sum().alias("sum"), pl.len()).sort("shop").collect()
    total += report["sum"].sum()
    assert len(report.write_csv()) > 100
print(round(total))
