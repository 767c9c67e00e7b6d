"""All orders of a year, read from a file and summed by country."""
import csv
import io

COUNTRIES = ["Germany", "France", "Netherlands", "Switzerland", "United Kingdom"]
file = io.StringIO("id,country,status,amount\n" + "".join(
    f"{n},{COUNTRIES[n % 5]},{'delivered' if n % 9 else 'returned'},{n % 1000}\n" for n in range(150_000)))
orders = list(csv.DictReader(file))
by_country = {}
for order in orders:
    by_country.setdefault(order["country"], []).append(order)
for country, theirs in by_country.items():
    print(country, sum(int(order["amount"]) for order in theirs), sum(order["status"] == "returned" for order in theirs))
