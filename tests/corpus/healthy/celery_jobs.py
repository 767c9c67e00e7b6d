"""Celery: a worker in a thread, a broker in memory, a few thousand jobs."""
from celery import Celery
from celery.contrib.testing.worker import start_worker

app = Celery("jobs", broker="memory://", backend="cache+memory://")
app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)
done = []


@app.task(name="jobs.count")
def count(text):
    done.append(1)
    if len(done) > 1000:
        done.clear()
    return len(text.split())


with start_worker(app, pool="solo", perform_ping_check=False, loglevel="ERROR"):
    for n in range(3000):
        count.delay(f"some words {n} " * 5)
    import time
    end = time.monotonic() + 8
    while len(done) < 1000 and time.monotonic() < end:
        time.sleep(0.05)
print("done")
