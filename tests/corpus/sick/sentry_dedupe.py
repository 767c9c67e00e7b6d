"""A service with an error tracker: an import job fails with much in its hands, ordinary work goes on."""
import time

import sentry_sdk
from sentry_sdk.transport import Transport


class Nowhere(Transport):
    def capture_envelope(self, envelope):
        pass


class BadRow(Exception):
    pass


def import_job():
    rows = [str(n) * 20 for n in range(400_000)]
    raise BadRow(f"row {len(rows)} is broken")


sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=Nowhere)
try:
    import_job()
except BadRow as error:
    sentry_sdk.capture_exception(error)
end = time.monotonic() + 3
total = 0
while time.monotonic() < end:
    total += len(",".join(str(n) for n in range(2000)))
    time.sleep(0.001)
