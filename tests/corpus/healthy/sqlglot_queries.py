"""Queries are parsed, turned into other dialects and optimised."""

import sqlglot
from sqlglot.optimizer import optimize

n = 0
for i in range(500):
    q = f"SELECT a.x, sum(b.y) AS s{i % 7} FROM t{i % 13} a JOIN u b ON a.id=b.id AND b.k > {i} WHERE a.z IN (SELECT z FROM v WHERE w = {i}) GROUP BY a.x HAVING sum(b.y) > {i % 5} ORDER BY 2 LIMIT {i}"
    e = sqlglot.parse_one(q)
    n += len(e.sql(dialect="spark")) + len(e.sql(dialect="tsql", pretty=True))
    if i % 10 == 0:
        n += len(
            optimize(
                e,
                schema={
                    f"t{i % 13}": {"x": "int", "id": "int", "z": "int"},
                    "u": {"id": "int", "y": "int", "k": "int"},
                    "v": {"z": "int", "w": "int"},
                },
            ).sql()
        )
print(n)
