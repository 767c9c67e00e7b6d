"""The same model, out of the collector's way."""
import gc

MODEL = {i: [i, [i]] for i in range(200_000)}
gc.collect()
gc.freeze()
n = 0
for request in range(2000):
    answer = [[i] for i in range(1000)]
    n += len(answer)
    if request % 25 == 24:
        gc.collect()
print(n > 0)
