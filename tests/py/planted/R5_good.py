"""The same jobs, a session for each."""
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


def work(job):
    with Session(engine) as session:
        session.add(Event(text=f"job {job} " * 10))
        session.commit()


end, job = time.monotonic() + 2.5, 0
while time.monotonic() < end:
    for _ in range(10):
        work(job)
        job += 1
    time.sleep(0.001)
print(job > 0)
