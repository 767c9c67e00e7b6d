"""All orders of a year, read from a file and summed by country."""
import csv
import io
import sys

COUNTRIES = ["Germany", "France", "Netherlands", "Switzerland", "United Kingdom"]
file = io.StringIO("id,country,status,amount\n" + "".join(
    f"{n},{COUNTRIES[n % 5]},{'delivered' if n % 9 else 'returned'},{n % 1000}\n" for n in range(150_000)))
orders = [(sys.intern(row["country"]), sys.intern(row["status"]), int(row["amount"])) for row in csv.DictReader(file)]
by_country = {}
for order in orders:
    by_country.setdefault(order[0], []).append(order)
for country, theirs in by_country.items():
    print(country, sum(order[2] for order in theirs), sum(order[1] == "returned" for order in theirs))
