"""Trees of a request body, validated by an adapter made for each request."""
from pydantic import BaseModel, TypeAdapter


class Leaf(BaseModel):
    name: str = "leaf"


class Tree(BaseModel):
    children: list["Tree"]
    leaf: Leaf


seen = 0
for n in range(2_500):
    body = [{"children": [{"children": [], "leaf": {"name": f"inner {n}"}}], "leaf": {"name": f"outer {n}"}}]
    seen += len(TypeAdapter(list[Tree]).validate_python(body))
print(seen)
