"""Uploads spooled to files, whose end is a bound method kept on the upload itself."""
import tempfile
import time


class Upload:
    def __init__(self):
        self.spool = tempfile.TemporaryFile()
        self.complete = self.finish                         # culprit

    def finish(self):
        return self.spool.tell()


done = 0
for i in range(120):
    upload = Upload()
    upload.spool.write(b"%d" % i)
    done += upload.complete()
print(done)
time.sleep(0.2)
