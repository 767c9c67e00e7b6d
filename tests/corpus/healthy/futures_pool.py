"""Threads of concurrent.futures fetch and work; results are taken as they come."""
import concurrent.futures
import hashlib
import json


def work(number):
    text = json.dumps({"number": number, "values": list(range(number % 300))})
    return number, hashlib.sha256(text.encode()).hexdigest()


found = {}
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    for start in range(0, 16_000, 500):
        waiting = [pool.submit(work, n) for n in range(start, start + 500)]
        for future in concurrent.futures.as_completed(waiting):
            number, digest = future.result()
            if digest.startswith("00"):
                found[number] = digest
print(len(found))
