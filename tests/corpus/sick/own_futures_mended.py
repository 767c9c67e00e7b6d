"""Thumbnails, made by a pool; whether one failed is asked for at the end of the day."""
import concurrent.futures


def thumbnail(number):
    image = bytearray(number % 7 + 1) * 4_000
    return bytes(image[::-1])


class Service:
    def __init__(self):
        self.pool = concurrent.futures.ThreadPoolExecutor(4)
        self.failed = 0

    def submit(self, number):
        job = self.pool.submit(thumbnail, number)
        job.add_done_callback(self.note)
        return job

    def note(self, job):
        self.failed += job.exception() is not None


service, size = Service(), 0
for number in range(12_000):
    size += len(service.submit(number).result())
print(size, service.failed)
