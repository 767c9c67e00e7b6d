"""A service logs: rotating files, a memory handler that is flushed, a queue listener, structured records, filters."""

import json
import logging
import logging.handlers
import queue
import tempfile
from pathlib import Path


class Json(logging.Formatter):
    def format(self, record):
        return json.dumps({"time": record.created, "level": record.levelname, "text": record.getMessage(), **getattr(record, "more", {})})


class NotNoise(logging.Filter):
    def filter(self, record):
        return "noise" not in record.msg


def work(log, n):
    log.info("request %d came", n, extra={"more": {"path": f"/p/{n % 77}", "bytes": n * 3}})
    if n % 50 == 0:
        try:
            json.loads("{" * (n % 5 + 1))
        except ValueError:
            log.exception("bad body of %d", n)
    log.debug("noise %d", n)


def main():
    with tempfile.TemporaryDirectory() as folder:
        rotating = logging.handlers.RotatingFileHandler(Path(folder, "service.log"), maxBytes=300_000, backupCount=3)
        rotating.setFormatter(Json())
        memory = logging.handlers.MemoryHandler(200, target=rotating)
        waiting = queue.Queue()
        listener = logging.handlers.QueueListener(waiting, memory, respect_handler_level=True)
        listener.start()
        log = logging.getLogger("service")
        log.setLevel(logging.DEBUG)
        log.propagate = False
        log.addHandler(logging.handlers.QueueHandler(waiting))
        log.addFilter(NotNoise())
        for n in range(12_000):
            work(log, n)
        listener.stop()
        memory.close()
        rotating.close()
        print(sorted(p.name for p in Path(folder).iterdir()))


main()
