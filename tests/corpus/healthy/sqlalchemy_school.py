"""A school's marks in SQLAlchemy: relationships, a session for each request, reports by query."""

import random

from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    pass


class Pupil(Base):
    __tablename__ = "pupil"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    form: Mapped[str]
    marks: Mapped[list["Mark"]] = relationship(back_populates="pupil", cascade="all, delete-orphan")


class Mark(Base):
    __tablename__ = "mark"
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    points: Mapped[int]
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupil.id"))
    pupil: Mapped[Pupil] = relationship(back_populates="marks")


def enter(engine, rng):
    with Session(engine) as session, session.begin():
        pupil = session.get(Pupil, rng.randrange(1, 401))
        pupil.marks.append(Mark(subject=rng.choice("mathematics history art".split()), points=rng.randrange(1, 16)))


def report(engine, form):
    with Session(engine) as session:
        pupils = session.scalars(select(Pupil).where(Pupil.form == form).options(selectinload(Pupil.marks))).all()
        return {p.name: sum(m.points for m in p.marks) / max(1, len(p.marks)) for p in pupils}


def main():
    engine, rng = create_engine("sqlite://"), random.Random(5)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all(Pupil(name=f"pupil {n}", form=f"{n % 12}a") for n in range(400))
    best = 0
    for n in range(1500):
        enter(engine, rng)
        if n % 15 == 0:
            best = max(best, max(report(engine, f"{n % 12}a").values()))
    with Session(engine) as session:
        means = session.execute(select(Mark.subject, func.avg(Mark.points)).group_by(Mark.subject)).all()
    print(best, means)


main()
