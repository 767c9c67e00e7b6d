"""Uploads spooled to files, whose end is called by its name, and which are closed."""
import tempfile
import time


class Upload:
    def __init__(self):
        self.spool = tempfile.TemporaryFile(buffering=4096)

    def finish(self):
        return self.spool.tell()


done = 0
for i in range(400):
    upload = Upload()
    upload.spool.write(b"%d" % i)
    done += upload.finish()
    time.sleep(0.001)
    upload.spool.close()
print(done)
