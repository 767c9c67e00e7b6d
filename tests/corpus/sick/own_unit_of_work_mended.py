"""Imports orders with a unit of work."""
from sqlalchemy import Integer, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(String)


class UnitOfWork:
    def __init__(self, engine):
        self.engine, self.session = engine, Session(engine, expire_on_commit=False)

    def store(self, orders):
        self.session.add_all(orders)
        self.session.commit()
        self.session.expunge_all()
        return len(orders)


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
work, held, total = UnitOfWork(engine), [], 0
for batch in range(60):
    orders = [Order(text=f"order {batch}/{n}") for n in range(150)]
    total += work.store(orders)
    for order in orders:
        order.text += " seen"
print(total)
