"""Address cleaning: each record passes some rules, which note what they changed."""
import random
import re
import time

STREETS = ["Main St", "Oak Ave.", "2nd  street", "Elm  Rd", "High str."]
RULES = [(re.compile(r"\bSt\b|\bstr\."), "Street"), (re.compile(r"\bAve\."), "Avenue"), (re.compile(r"\bRd\b"), "Road"),
         (re.compile(r"\s+"), " ")]


class Change:
    def __init__(self, rule, before, after):
        self.rule = rule
        self.before = before
        self.after = after


def normalise(text, trail=None):
    trail = [] if trail is None else trail
    for pattern, words in RULES:
        changed = pattern.sub(words, text)
        if changed != text:
            trail.append(Change(pattern.pattern, text, changed))
            text = changed
    return text, len(trail)


def records(rng, count):
    for number in range(count):
        yield {"id": number, "street": f"{rng.randrange(400)} {rng.choice(STREETS)}", "city": f"City  {number % 90}"}


def clean(batch):
    out = 0
    for record in batch:
        street, _ = normalise(record["street"])
        city, _ = normalise(record["city"])
        out += len(street) + len(city)
    return out


def main():
    rng = random.Random(5)
    out = 0
    for batch in range(60):
        out += clean(records(rng, 1200))
        time.sleep(0.005)
    print(out)


main()
