"""Reads two hundred feeds again and again: entries seen before are skipped, each feed keeps its newest fifty."""

import random
import xml.etree.ElementTree as ET
from email.utils import formatdate, parsedate_to_datetime


def feed(number, round_):
    rss = ET.Element("rss", version="2.0")
    channel = ET.SubElement(rss, "channel")
    ET.SubElement(channel, "title").text = f"Feed {number}"
    for n in range(round_ * 3, round_ * 3 + 12):
        item = ET.SubElement(channel, "item")
        ET.SubElement(item, "guid").text = f"http://f{number}.example/{n}"
        ET.SubElement(item, "title").text = f"Entry {n} of {number}"
        ET.SubElement(item, "description").text = f"something happened {n} " * 15
        ET.SubElement(item, "pubDate").text = formatdate(1_700_000_000 + n * 3600)
    return ET.tostring(rss)


class Reader:
    def __init__(self, keep=50):
        self.keep, self.entries, self.fresh = keep, {}, 0

    def take(self, number, data):
        known = self.entries.setdefault(number, {})
        for item in ET.fromstring(data).iter("item"):
            guid = item.findtext("guid")
            if guid not in known:
                known[guid] = {
                    "title": item.findtext("title"),
                    "text": item.findtext("description"),
                    "time": parsedate_to_datetime(item.findtext("pubDate")),
                }
                self.fresh += 1
        while len(known) > self.keep:
            del known[next(iter(known))]


def main():
    reader, rng = Reader(), random.Random(1)
    for round_ in range(40):
        for number in rng.sample(range(80), 50):
            reader.take(number, feed(number, round_))
    newest = sorted(((e["time"], e["title"]) for known in reader.entries.values() for e in known.values()), reverse=True)[:20]
    print(reader.fresh, newest[0][1])


main()
