"""Files are packed in blocks that are told by their hashes; the same block is kept once, the index written at the end."""
import hashlib
import json
import random
import zlib

random.seed(34)


class Store:
    def __init__(self):
        self.blocks, self.files, self.size = {}, {}, 0

    def add(self, name, data):
        keys = []
        for at in range(0, len(data), 4096):
            part = data[at:at + 4096]
            key = hashlib.sha256(part).hexdigest()
            if key not in self.blocks:
                self.blocks[key] = zlib.compress(part, 1)
                self.size += len(self.blocks[key])
            keys.append(key)
        self.files[name] = keys

    def restore(self, name):
        return b"".join(zlib.decompress(self.blocks[key]) for key in self.files[name])

    def index(self):
        return json.dumps(self.files)


parts = [random.randbytes(2048) * 2 for _ in range(1500)]
store = Store()
for n in range(900):
    store.add(f"file{n}", b"".join(random.choices(parts, k=8)))
print(len(store.index()), len(store.restore("file5")), store.size)
