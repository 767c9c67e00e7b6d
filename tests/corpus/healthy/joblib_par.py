"""Jobs of joblib in processes and threads, with a cache on disk."""

import math

from joblib import Memory, Parallel, delayed

m = Memory("jl", verbose=0)


@m.cache
def slow(n):
    return [math.sqrt(i) for i in range(n)]


def f(i):
    return sum(math.sin(k * i) for k in range(2000))


if __name__ == "__main__":
    r = Parallel(n_jobs=2)(delayed(f)(i) for i in range(300))
    r2 = Parallel(n_jobs=4, prefer="threads")(delayed(f)(i) for i in range(200))
    t = sum(len(slow(1000 + i % 20)) for i in range(200))
    print(round(sum(r), 3), round(sum(r2), 3), t)
