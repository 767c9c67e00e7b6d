"""The same model, out of the collector's way."""
import gc
import time

MODEL = {i: [i, [i]] for i in range(150_000)}
gc.collect()
gc.freeze()
end, n = time.monotonic() + 1.2, 0
while time.monotonic() < end:
    answer = [[i] for i in range(1000)]
    n += len(answer)
    if n % 100_000 == 0:
        gc.collect()
print(n > 0)
