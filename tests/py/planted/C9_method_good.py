"""Uploads spooled to files, whose end is called by its name, and which are closed."""
import tempfile
import time


class Upload:
    def __init__(self):
        self.spool = tempfile.TemporaryFile()

    def finish(self):
        return self.spool.tell()


done = 0
for i in range(120):
    upload = Upload()
    upload.spool.write(b"%d" % i)
    done += upload.finish()
    upload.spool.close()
print(done)
time.sleep(0.2)
