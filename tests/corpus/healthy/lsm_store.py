"""A store that writes in memory and flushes to files: it fills and empties like a saw."""
import bisect
import json
import random
import tempfile
from pathlib import Path


class Store:
    def __init__(self, folder):
        self.folder, self.table, self.files = Path(folder), {}, []

    def put(self, key, value):
        self.table[key] = value
        if len(self.table) >= 15_000:
            self.flush()

    def flush(self):
        path = self.folder / f"{len(self.files)}.json"
        keys = sorted(self.table)
        path.write_text(json.dumps([(key, self.table[key]) for key in keys]))
        self.files.append((path, keys[0], keys[-1], keys[::1000]))
        self.table = {}

    def get(self, key):
        if key in self.table:
            return self.table[key]
        for path, first, last, sparse in reversed(self.files):
            if first <= key <= last and bisect.bisect(sparse, key):
                return dict(json.loads(path.read_text())).get(key)


rng = random.Random(4)
with tempfile.TemporaryDirectory() as folder:
    store = Store(folder)
    for n in range(250_000):
        store.put(f"key{rng.randrange(10 ** 9):09}", {"n": n, "text": f"value {n}"})
        if n % 20_000 == 0:
            store.get(f"key{rng.randrange(10 ** 9):09}")
    print(len(store.files))
