"""Stock levels are taken over from a supplier's list into a database."""
import random

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    level: Mapped[int]


def fill(engine, count):
    with Session(engine) as session:
        session.bulk_insert_mappings(Item, [{"id": n, "name": f"item {n}", "level": 0} for n in range(count)])
        session.commit()


def update(session, start, rng):
    for item in session.query(Item).filter(Item.id >= start, Item.id < start + 200):
        item.level = rng.randrange(1, 100)


def main():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    fill(engine, 24_000)
    rng = random.Random(9)
    session = Session(engine, autoflush=False)
    for start in range(0, 24_000, 200):
        update(session, start, rng)
        session.commit()
        session.expunge_all()
    session.commit()
    print(session.query(Item).filter(Item.level > 50).count() > 0)


main()
