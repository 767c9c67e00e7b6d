"""Fetch pages from an unreliable host, with retries."""
import random

random.seed(4)


class Unreachable(Exception):
    pass


class Attempt:
    def __init__(self, url):
        self.url, self.error = url, None

    def failed(self, error):
        self.error = error


def connect(url):
    if random.random() < 0.7:
        raise Unreachable(url)
    return b"x" * 2_000


def fetch(url, retries=4):
    body = bytearray(4_000)
    for _ in range(retries):
        attempt = Attempt(url)
        try:
            body[:] = connect(url)
            return bytes(body)
        except Unreachable as error:
            attempt.failed(error)
    return b""


def crawl(pages):
    return sum(len(fetch(f"http://host/{page}")) for page in range(pages))


print(crawl(40_000))
