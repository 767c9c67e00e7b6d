"""Spawned workers share an array."""

import array
import multiprocessing as mp
from multiprocessing import shared_memory


def work(name, n, lo, hi, q):
    s = shared_memory.SharedMemory(name)
    v = s.buf.cast("d")
    t = 0.0
    for i in range(lo, hi):
        v[i] = v[i] * 2 + 1
        t += v[i]
    v.release()
    s.close()
    q.put(t)


def f(x):
    return sum(i * i for i in range(x))


if __name__ == "__main__":
    n = 200000
    s = shared_memory.SharedMemory(create=True, size=n * 8)
    v = s.buf.cast("d")
    for i in range(n):
        v[i] = i
    tot = 0
    for r in range(6):
        q = mp.Queue()
        ps = [mp.Process(target=work, args=(s.name, n, k * n // 4, (k + 1) * n // 4, q)) for k in range(4)]
        for p in ps:
            p.start()
        tot += sum(q.get() for _ in ps)
        for p in ps:
            p.join()
    v.release()
    s.close()
    s.unlink()
    with mp.get_context("spawn").Pool(2) as p:
        k = sum(p.imap_unordered(f, [3000] * 300, chunksize=10))
    print(round(tot), k)
