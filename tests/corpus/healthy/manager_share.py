"""Processes that share a dict through multiprocessing's manager."""
import multiprocessing


def work(shared, lock, first):
    for n in range(first, first + 300):
        with lock:
            shared[n % 50] = shared.get(n % 50, 0) + n


if __name__ == "__main__":
    with multiprocessing.Manager() as manager:
        shared, lock = manager.dict(), manager.Lock()
        workers = [multiprocessing.Process(target=work, args=(shared, lock, 300 * k)) for k in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(sum(shared.values()))
