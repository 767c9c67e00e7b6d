"""Files are hashed and counted by a pool of processes."""

import collections
import glob
import hashlib
import multiprocessing as mp
import os


def one(path):
    with open(path, "rb") as f:
        data = f.read()
    return path, hashlib.sha256(data).hexdigest(), collections.Counter(data.split()).most_common(20)


if __name__ == "__main__":
    paths = sorted(glob.glob(os.path.dirname(os.__file__) + "/**/*.py", recursive=True))[:1500]
    total, same = collections.Counter(), {}
    with mp.get_context("fork").Pool(3) as p:
        for path, h, words in p.imap_unordered(one, paths, chunksize=20):
            same.setdefault(h, []).append(path)
            total.update(dict(words))
    print(len(same), len(total))
