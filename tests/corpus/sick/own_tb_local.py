"""A rule engine: rules are small functions that may fail; a failure's place is reported, the record goes on."""
import sys


def rule_total(record):
    return sum(record["amounts"]) / record["count"]


def rule_spread(record):
    return max(record["amounts"]) - min(record["amounts"])


def rule_code(record):
    return int(record["code"], 16)


RULES = [rule_total, rule_spread, rule_code]


def guarded(rule, record):
    work = dict(record, copies=[list(record["amounts"]) for _ in range(4)])
    try:
        return rule(work), None
    except (ZeroDivisionError, ValueError):
        tb = sys.exc_info()[2]
        while tb.tb_next is not None and tb.tb_next.tb_next is not None:
            tb = tb.tb_next
        return None, f"{rule.__name__}:{tb.tb_lineno}"


def records(count):
    for number in range(count):
        yield {"count": number % 3, "amounts": list(range(number % 50, 90)), "code": "beef" if number % 5 else "tofu"}


def main():
    values, places = 0.0, {}
    for record in records(60_000):
        for rule in RULES:
            value, place = guarded(rule, record)
            if place is None:
                values += value
            else:
                places[place] = places.get(place, 0) + 1
    print(round(values), sorted(places.values()))


main()
