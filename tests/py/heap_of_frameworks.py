"""A heap of pandas, SQLAlchemy and Django objects, about a million of them; then a snapshot, and the addresses of all objects that Python code
can reach, tracked by the collector or not.

    memsure run --snapshot=none heap_of_frameworks.py SNAPSHOT ADDRESSES
"""
import array
import gc
import sys

import django
import numpy
import pandas
import sqlalchemy
from django.conf import settings
from sqlalchemy import orm

import memsure


class Base(orm.DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id = orm.mapped_column(sqlalchemy.Integer, primary_key=True)
    name = orm.mapped_column(sqlalchemy.String)
    orders = orm.relationship("Order", back_populates="user")


class Order(Base):
    __tablename__ = "orders"
    id = orm.mapped_column(sqlalchemy.Integer, primary_key=True)
    user_id = orm.mapped_column(sqlalchemy.ForeignKey("users.id"))
    text = orm.mapped_column(sqlalchemy.String)
    user = orm.relationship("User", back_populates="orders")


engine = sqlalchemy.create_engine("sqlite://")
Base.metadata.create_all(engine)
session = orm.Session(engine)
session.add_all(User(name=f"user {i}", orders=[Order(text=f"order {i} {k}") for k in range(3)]) for i in range(3000))
session.commit()
users = session.scalars(sqlalchemy.select(User).options(orm.selectinload(User.orders))).all()

settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
                   DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, USE_TZ=True, SECRET_KEY="x")
django.setup()
from django.contrib.auth.models import Group, Permission, User as Account
from django.core.management import call_command
call_command("migrate", verbosity=0, run_syncdb=True)
Account.objects.bulk_create([Account(username=f"account {i}") for i in range(3000)])
accounts = list(Account.objects.all())
query = Account.objects.filter(username__startswith="a").order_by("-id")

frame = pandas.DataFrame({"n": numpy.arange(20000), "text": [f"row {i % 500} {i}" for i in range(20000)],
                          "kind": pandas.Categorical(["abc"[i % 3] for i in range(20000)]), "when": pandas.date_range("2020-01-01", periods=20000, freq="h")})
groups = dict(list(frame.groupby("kind", observed=True)))
frame["o"] = [[i] for i in range(20000)]
pivot = frame.pivot_table(index="kind", values="n", aggfunc="sum", observed=True)

gc.collect()
gc.disable()
seen, work = {}, gc.get_objects()
while work:
    o = work.pop()
    if id(o) not in seen and o is not seen and o is not work:
        seen[id(o)] = o
        work.extend(gc.get_referents(o))
del o, work
addresses = array.array("Q", seen)
memsure.snapshot(sys.argv[1])
with open(sys.argv[2], "wb") as f:
    addresses.tofile(f)
