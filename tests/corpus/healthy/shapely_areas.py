"""Areas are joined, cut and written as GeoJSON."""

import json
import random

import shapely
from shapely.geometry import Point, Polygon, mapping, shape
from shapely.ops import unary_union
from shapely.strtree import STRtree

random.seed(1)
polys = [Point(random.random() * 100, random.random() * 100).buffer(random.random() * 3) for _ in range(2500)]
t = STRtree(polys)
n = 0
for i in range(3000):
    n += len(t.query(Point(random.random() * 100, random.random() * 100).buffer(1)))
u = unary_union(polys)
js = [json.dumps(mapping(p)) for p in polys[:300]]
n += sum(shape(json.loads(j)).is_valid for j in js)
print(n > 0, round(u.area))
