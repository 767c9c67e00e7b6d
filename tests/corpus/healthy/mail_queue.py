"""Workers of threads send mails from a bounded queue, with retries and a report of what failed."""

import queue
import random
import threading
import time

random.seed(22)
todo, failed, sent, lock = queue.Queue(maxsize=100), [], 0, threading.Lock()


def send(mail):
    if random.random() < 0.02:
        raise ConnectionError(f"{mail['to']} is away")
    return len(mail["body"])


def work():
    global sent
    while (mail := todo.get()) is not None:
        try:
            send(mail)
        except ConnectionError as e:
            mail["tries"] += 1
            with lock:
                failed.append((mail["to"], str(e)))
        else:
            with lock:
                sent += 1
        if mail["n"] % 500 == 0:
            time.sleep(0.001)


threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads:
    t.start()
for n in range(60_000):
    todo.put({"n": n, "to": f"user{n}@example.org", "body": "hello " * 30, "tries": 0})
for t in threads:
    todo.put(None)
for t in threads:
    t.join()
print(sent, len(failed), failed[-1][0] != "")
