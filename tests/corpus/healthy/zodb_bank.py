"""Objects in a database with its own cache."""

import os
import random
import tempfile

import transaction
import ZODB
import ZODB.FileStorage
from BTrees.OOBTree import OOBTree
from persistent import Persistent


class Account(Persistent):
    def __init__(self, n):
        self.name, self.balance, self.last = f"a{n}", 100, []


random.seed(2)
d = tempfile.mkdtemp()
db = ZODB.DB(ZODB.FileStorage.FileStorage(d + "/d.fs"), cache_size=300)
c = db.open()
root = c.root()
root["accounts"] = t = OOBTree()
for i in range(2000):
    t[i] = Account(i)
transaction.commit()
for k in range(600):
    for _ in range(5):
        a, b = t[random.randrange(2000)], t[random.randrange(2000)]
        a.balance -= 1
        b.balance += 1
        a.last = (a.last + [b.name])[-5:]
    transaction.commit()
db.pack()
print(sum(a.balance for a in t.values()))
c.close()
db.close()
