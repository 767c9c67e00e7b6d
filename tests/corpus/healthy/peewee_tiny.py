"""A small database by peewee."""

import peewee as pw

db = pw.SqliteDatabase("p.db")


class A(pw.Model):
    n = pw.CharField()

    class Meta:
        database = db


class T(pw.Model):
    a = pw.ForeignKeyField(A, backref="ts")
    v = pw.FloatField()

    class Meta:
        database = db


db.create_tables([A, T])
t = 0
with db.atomic():
    for i in range(300):
        A.create(n=f"a{i}")
    for b in range(20):
        T.insert_many([{"a": k % 300 + 1, "v": k} for k in range(500)]).execute()
for i in range(60):
    t += sum(x.v for x in T.select().join(A).where(A.n == f"a{i}"))
    t += A.get_by_id(i + 1).ts.count()
    t += len(list(A.select(A, pw.fn.SUM(T.v).alias("s")).join(T).group_by(A).limit(50)))
print(t)
db.close()
