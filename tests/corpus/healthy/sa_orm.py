"""Users and orders in SQLAlchemy, loaded in several ways."""

from sqlalchemy import ForeignKey, create_engine, func, insert, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload


class B(DeclarativeBase):
    pass


class U(B):
    __tablename__ = "u"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["O"]] = relationship(back_populates="u")


class O(B):
    __tablename__ = "o"
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[int] = mapped_column(ForeignKey("u.id"))
    amt: Mapped[float]
    u: Mapped[U] = relationship(back_populates="orders")


e = create_engine("sqlite:///x.db")
B.metadata.create_all(e)
t = 0
with Session(e) as s:
    for i in range(30):
        s.execute(insert(U), [{"name": f"u{i}-{k}"} for k in range(100)])
        s.commit()
    s.execute(insert(O), [{"uid": k % 3000 + 1, "amt": k * 0.5} for k in range(20000)])
    s.commit()
for i in range(60):
    with Session(e) as s:
        us = s.scalars(select(U).options(selectinload(U.orders)).where(U.id.between(i * 40, i * 40 + 80))).all()
        t += sum(len(u.orders) for u in us)
        us[0].name = "x"
        us[0].orders.append(O(amt=1))
        s.commit()
        t += s.execute(select(func.count(O.id)).group_by(O.uid).limit(1)).scalar_one()
        for o in s.scalars(select(O).options(joinedload(O.u)).limit(200)):
            t += len(o.u.name) > 0
print(t)
