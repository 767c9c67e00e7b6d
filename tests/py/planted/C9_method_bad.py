"""Uploads spooled to files, whose end is a bound method kept on the upload itself."""
import tempfile
import time


class Upload:
    def __init__(self):
        self.spool = tempfile.TemporaryFile(buffering=4096)
        self.complete = self.finish                         # culprit

    def finish(self):
        return self.spool.tell()


done = 0
for i in range(400):
    upload = Upload()
    upload.spool.write(b"%d" % i)
    done += upload.complete()
    time.sleep(0.001)
print(done)
