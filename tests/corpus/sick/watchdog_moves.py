"""A spool folder is watched; files are renamed when they are done."""
import tempfile
import time
from pathlib import Path

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer


class Spool(FileSystemEventHandler):
    moved = 0

    def on_moved(self, event):
        self.moved += 1


with tempfile.TemporaryDirectory() as folder:
    spool, observer = Spool(), Observer()
    observer.schedule(spool, folder)
    observer.start()
    path = Path(folder, "job-0")
    path.write_text("job")
    for number in range(1, 30_001):
        path = path.rename(Path(folder, f"job-{number:0100d}"))
        if not number % 50:
            time.sleep(0.01)
    time.sleep(0.5)
    observer.stop()
    observer.join()
    print(spool.moved)
