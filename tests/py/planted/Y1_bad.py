"""A large model is loaded, and then each request's garbage makes the collector walk it again."""
import gc
import time

MODEL = {i: [i, [i]] for i in range(150_000)}
end, n = time.monotonic() + 1.2, 0
while time.monotonic() < end:
    answer = [[i] for i in range(1000)]
    n += len(answer)
    if n % 100_000 == 0:
        gc.collect()
print(n > 0)
