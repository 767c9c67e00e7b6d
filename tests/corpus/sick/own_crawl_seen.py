"""A crawler's frontier over a generated site: pages link to others, some of them with session ids in their address."""
import collections
import random
import time
import urllib.parse


class Frontier:
    seen = set()

    def __init__(self, start):
        self.queue = collections.deque([start], maxlen=2000)

    def offer(self, address):
        key = address
        if key in self.seen:
            return False
        self.seen.add(key)
        self.queue.append(address)
        return True

    def next(self):
        return self.queue.popleft() if self.queue else "/page/0"


class Site:
    def __init__(self, pages):
        self.pages = pages
        self.rng = random.Random(2)

    def fetch(self, address):
        number = int(urllib.parse.urlsplit(address).path.rpartition("/")[2])
        time.sleep(0.0002)
        return [f"/page/{(number * 7 + link) % self.pages}?sid={self.rng.getrandbits(64):016x}&from={number}" for link in range(25)]


def crawl(frontier, site, fetches):
    new = 0
    for _ in range(fetches):
        for link in site.fetch(frontier.next()):
            new += frontier.offer(link)
    return new


def main():
    site = Site(500)
    frontier = Frontier("/page/0")
    print(crawl(frontier, site, 3500) > 0)


main()
