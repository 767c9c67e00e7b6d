"""A large model is loaded, and then each request's garbage makes the collector walk it again."""
import gc

MODEL = {i: [i, [i]] for i in range(200_000)}
n = 0
for request in range(2000):
    answer = [[i] for i in range(1000)]
    n += len(answer)
    if request % 25 == 24:
        gc.collect()                                                      # culprit
print(n > 0)
