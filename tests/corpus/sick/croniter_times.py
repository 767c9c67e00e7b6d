"""A scheduler that asks for the next time of its jobs again and again."""
import datetime

from croniter import croniter

now, due = datetime.datetime(2024, 1, 1), 0
for n in range(25_000):
    following = croniter("*/5 * * * *", now + datetime.timedelta(seconds=37 * n)).get_next(datetime.datetime)
    due += following.minute == 0
print(due)
