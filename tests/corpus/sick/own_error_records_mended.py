"""A batch importer logs what it could not read; a handler collects the records for the summary mail."""
import json
import logging
import random
import time

log = logging.getLogger("importer")


class Collector(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.pending = []

    def emit(self, record):
        self.pending.append(self.format(record).splitlines()[0])

    def summary(self):
        return len(self.pending)


def parse(line):
    fields = line.split("|")
    cells = [field.strip().encode() for field in fields] * 20
    data = json.loads(fields[-1])
    return data, len(cells)


def import_file(number, rng):
    lines = [f"{number}|{row}|" + "x" * 40 + "|" + json.dumps({"row": row, "v": [rng.random() for _ in range(8)]}) for row in range(120)]
    if rng.random() < 0.6:
        lines[rng.randrange(60)] += "}"
    good = 0
    try:
        for line in lines:
            parse(line)
            good += 1
    except ValueError:
        log.exception("file %d, line %d", number, good)
    return good


def main():
    log.propagate = False
    collector = Collector()
    log.addHandler(collector)
    rng = random.Random(1)
    good = 0
    for number in range(700):
        good += import_file(number, rng)
        time.sleep(0.0005)
    print(good, collector.summary())


main()
