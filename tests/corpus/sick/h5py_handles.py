"""A file read again and again: each access makes a new handle."""
import os
import tempfile

import h5py

path = os.path.join(tempfile.mkdtemp(), "data.h5")
with h5py.File(path, "w") as file:
    for n in range(20):
        file.create_dataset(f"group/data{n}", data=list(range(100)))
total = 0
with h5py.File(path, "r") as file:
    for i in range(80_000):
        total += file[f"group/data{i % 20}"].shape[0]
os.remove(path)
os.rmdir(os.path.dirname(path))
print(total)
