"""A monitor: asks for the last measurements again and again and makes an array of them."""
import numpy as np
import sqlalchemy as sa

engine = sa.create_engine("sqlite://")
meta = sa.MetaData()
table = sa.Table("measured", meta, sa.Column("id", sa.Integer, primary_key=True), sa.Column("x", sa.Float), sa.Column("y", sa.Float))


def main():
    with engine.connect() as connection:
        meta.create_all(connection)
        connection.execute(table.insert(), [{"x": n / 7, "y": n / 3} for n in range(500)])
        total = 0.0
        for _ in range(400):
            rows = connection.execute(sa.select(table.c.x, table.c.y)).fetchall()
            total += np.array(rows).mean()
    print(round(total, 3))


main()
