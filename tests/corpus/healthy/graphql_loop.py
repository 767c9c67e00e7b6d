"""Queries to a schema with resolvers."""

import strawberry


@strawberry.type
class Author:
    id: int
    name: str


@strawberry.type
class Book:
    id: int
    title: str

    @strawberry.field
    def author(self) -> Author:
        return Author(id=self.id % 10, name=f"a{self.id % 10}")


@strawberry.type
class Query:
    @strawberry.field
    def books(self, first: int = 10) -> list[Book]:
        return [Book(id=i, title=f"t{i}") for i in range(first)]


s = strawberry.Schema(Query)
n = 0
for i in range(150):
    r = s.execute_sync("query($n:Int!){ books(first:$n){ id title author { name } } }", {"n": i % 60})
    n += len(r.data["books"])
print(n)
