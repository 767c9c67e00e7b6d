"""Devices announce themselves and leave: what is known of each stands in a cache for its time to live."""
from zeroconf import DNSAddress, DNSCache, _CLASS_IN, _TYPE_A


def main():
    cache = DNSCache()
    seen = 0
    for n in range(60000):
        record = DNSAddress(f"device-{n}.local.", _TYPE_A, _CLASS_IN, 120, bytes([10, n // 65536, n // 256 % 256, n % 256]))
        cache.add(record)
        seen += len(cache.entries_with_name(record.name))
        cache.remove(record)
    print(seen, len(cache.entries()))


main()
