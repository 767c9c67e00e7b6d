"""A session that every job adds to, and nobody commits."""
# needs: sqlalchemy
import time

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Event(Base):
    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)


def work(job):
    session.add(Event(text=f"job {job} " * 10))             # culprit


end, job = time.monotonic() + 2.5, 0
while time.monotonic() < end:
    for _ in range(10):
        work(job)
        job += 1
    time.sleep(0.001)
print(job > 0)
