"""Scores users with a model in worker processes."""
import multiprocessing

MODEL = None


def init(model):
    global MODEL
    MODEL = model


def score(task):
    user, model = task, MODEL
    return sum(model[(user * k) % len(model)][1] for k in range(1, 50))


if __name__ == "__main__":
    model = {n: (f"feature {n}", n % 13) for n in range(20_000)}
    context = multiprocessing.get_context("fork")
    with context.Pool(3, init, (model,)) as pool:
        print(sum(pool.map(score, range(120), chunksize=4)))
