"""Old records are converted; the use of old fields gives a warning, and the number of warnings is printed."""
import random
import warnings


def convert(record):
    if "surname" in record:
        warnings.warn("surname is now last_name", DeprecationWarning, stacklevel=2)
        record["last_name"] = record.pop("surname")
    if "zip" in record:
        warnings.warn("zip is now postcode", DeprecationWarning, stacklevel=2)
        record["postcode"] = record.pop("zip")
    return record


def records(count):
    rng = random.Random(6)
    for number in range(count):
        record = {"id": number, "surname": f"name {number}", "city": f"city {rng.randrange(100)}"}
        if rng.random() < 0.5:
            record["zip"] = str(rng.randrange(100_000))
        yield record


def main():
    converted = 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for record in records(60_000):
            converted += len(convert(record))
            if len(caught) > 100:
                caught.clear()
    print(converted, len(caught) > 0)


main()
