"""Documents are parsed in a pool that lives as long as the service."""
import concurrent.futures
import threading
import time
import xml.etree.ElementTree as ET

local = threading.local()
pool = concurrent.futures.ThreadPoolExecutor(4, thread_name_prefix="parse")


def parse(number):
    rows = "".join(f"<row id='{i}'><name>item {i}</name><price>{i * 0.5}</price></row>" for i in range(12_000))
    local.document = ET.fromstring(f"<doc n='{number}'>{rows}</doc>")
    return price()


def price():
    return sum(float(row.find("price").text) for row in local.document)


def main():
    total = sum(pool.map(parse, range(16)))
    time.sleep(1)
    print(total)


main()
