"""A batch with SQLAlchemy's ORM: a session for each job."""
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship(back_populates="user")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    amount: Mapped[float]
    user: Mapped[User] = relationship(back_populates="orders")


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
for job in range(150):
    with Session(engine) as session:
        for n in range(10):
            session.add(User(name=f"user {job}-{n}", orders=[Order(amount=k * 1.5) for k in range(5)]))
        session.commit()
        session.execute(select(User.name, func.sum(Order.amount)).join(Order).group_by(User.id).limit(20)).all()
        for user in session.scalars(select(User).order_by(User.id.desc()).limit(30)):
            user.name = user.name.upper() + str(len(user.orders))
        session.commit()
with Session(engine) as session:
    print(session.scalar(select(func.count(Order.id))))
