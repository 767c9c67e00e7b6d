"""Pages are rendered by threads; a burst of work, then the service is idle."""
import queue
import threading
import time

jobs = queue.Queue(maxsize=16)
sizes = []


def render(count):
    return [f"<td>{number}</td>" * 4 for number in range(count)]


def work():
    while True:
        count = jobs.get()
        if count is None:
            return
        page = render(count)
        sizes.append(sum(map(len, page)))
        jobs.task_done()
        del page


def main():
    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(40):
        jobs.put(60_000)
    jobs.join()
    time.sleep(1.5)
    print(len(sizes))


main()
