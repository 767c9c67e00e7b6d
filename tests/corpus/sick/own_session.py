"""A nightly import, in one session."""
from sqlalchemy import Integer, String, create_engine
from sqlalchemy.orm import Mapped, Session, declarative_base, mapped_column

Base = declarative_base()


class Reading(Base):
    __tablename__ = "readings"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    station: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(400))


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine, autoflush=False)
for number in range(15_000):
    session.add(Reading(id=number, station=f"station {number % 50}", text=f"reading {number} " * 10))
session.commit()
print(session.query(Reading).count())
