"""A crawler's work without the network: pages are parsed, links followed once, items collected in batches."""
import collections
import json

from parsel import Selector
from w3lib.url import canonicalize_url


def page(number):
    links = "".join(f"<a href='/page/{(number * 7 + k) % 1500}?b=2&a=1'>page {k}</a>" for k in range(15))
    return f"<html><head><title>Page {number}</title></head><body><h1>{number}</h1><p class='price'>{number * 1.5}</p>{links}</body></html>"


queue, seen, batch, written = collections.deque([0]), {0}, [], 0
while queue:
    number = queue.popleft()
    selector = Selector(page(number))
    batch.append({"title": selector.css("title::text").get(), "price": float(selector.xpath("//p[@class='price']/text()").get())})
    for link in selector.css("a::attr(href)").getall():
        follow = int(canonicalize_url("http://localhost" + link).split("/")[-1].split("?")[0])
        if follow not in seen:
            seen.add(follow)
            queue.append(follow)
    if len(batch) == 100:
        written += len(json.dumps(batch))
        batch.clear()
print(written)
