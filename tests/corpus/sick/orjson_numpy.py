"""Arrays written as JSON; those of a type that is not known by way of a list."""
import numpy as np
import orjson

size = 0
for n in range(20_000):
    names = np.array([f"thing {n}"] * 100)
    size += len(orjson.dumps(names, option=orjson.OPT_SERIALIZE_NUMPY, default=lambda array: array.tolist()))
print(size)
