"""A linter over SQL files."""

import sqlfluff

PARTS = [
    "select a.id, b.name, count(*) as n from orders a join customers b on a.cid = b.id where a.total > {0} group by 1, 2\n",
    "SELECT  x.k , sum(x.v) FROM x_{0} AS x WHERE x.k IN (1,2,{0}) ORDER BY x.k DESC\n",
    "with t as (select * from s where d >= '2024-01-{1:02d}') insert into r select t.a, case when t.b > {0} then 'hi' else 'lo' end from t\n",
]
total = 0
for i in range(18):
    total += len(sqlfluff.lint(PARTS[i % 3].format(i, i % 28 + 1), dialect="ansi"))
print(total)
