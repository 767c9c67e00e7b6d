"""Pages are made by a pool of threads; results are collected in a list and written in order."""

import hashlib
from concurrent.futures import ThreadPoolExecutor


def page(n):
    body = "".join(f"<p>{hashlib.sha1(f'{n}-{i}'.encode()).hexdigest()}</p>" for i in range(40))
    return n, f"<html><h1>{n}</h1>{body}</html>"


results = []
with ThreadPoolExecutor(4) as pool:
    waiting = [pool.submit(page, n) for n in range(6000)]
    for future in waiting:
        results.append(future.result())
print(sum(len(text) for _, text in results))
