"""Scanned pages pass through a chain of filters; each page is some hundred kilobytes, the objects are few."""


class Scan:
    def __init__(self, number, side):
        self.number = number
        self.pixels = bytearray((number * 7 + place) % 251 for place in range(256)) * (side * side // 256)
        self.marks = []

    def mark(self, kind, value):
        self.marks.append(Mark(self, kind, value))


class Mark:
    def __init__(self, scan, kind, value):
        self.scan = scan
        self.kind = kind
        self.value = value


def brightness(scan):
    scan.mark("bright", sum(scan.pixels[::997]))


def edges(scan):
    part = scan.pixels[::499]
    scan.mark("edges", sum(1 for left, right in zip(part, part[1:]) if abs(left - right) > 60))


def threshold(scan):
    scan.pixels = scan.pixels.translate(bytes(0 if value < 90 else 255 for value in range(256)))
    scan.mark("ink", scan.pixels.count(0))


FILTERS = [brightness, edges, threshold]


def process(number):
    scan = Scan(number, 640)
    for step in FILTERS:
        step(scan)
    return {mark.kind: mark.value for mark in scan.marks}


def main():
    totals = {}
    for number in range(420):
        for kind, value in process(number).items():
            totals[kind] = totals.get(kind, 0) + value
    print(totals)


if __name__ == "__main__":
    main()
