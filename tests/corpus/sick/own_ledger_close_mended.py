"""A ledger is read, its entries parsed, and the year closed."""
import io
import random
import time


def export(count):
    rng = random.Random(5)
    out = io.StringIO()
    for number in range(count):
        out.write(f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d};account {rng.randrange(500)};{rng.randrange(10_000)};payment of invoice number {number}\n")
    return out


def parse(lines):
    entries = []
    for line in lines:
        date, account, amount, text = line.split(";")
        entries.append((date, account, int(amount)))
    return entries


def balance(entries):
    totals = {}
    months = {}
    for date, account, amount in sorted(entries):
        totals[account] = totals.get(account, 0) + amount
        months.setdefault(date[:7], []).append((account, amount))
    return totals, months


def close_year(source):
    lines = source.getvalue().splitlines()
    source.close()
    entries = parse(lines)
    del lines
    totals, months = balance(entries)
    time.sleep(0.3)
    return len(totals), sum(len(rows) for rows in months.values())


print(close_year(export(350_000)))
