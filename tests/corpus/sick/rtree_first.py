"""The first hit in an index of places."""
from rtree import index

tree = index.Index()
for n in range(3000):
    tree.insert(n, (n, n, n + 2000, n + 2000), obj=None)
found = 0
for n in range(1500):
    for hit in tree.intersection((n, n, n + 500, n + 500), objects=True):
        found += hit.id
        break
print(found)
