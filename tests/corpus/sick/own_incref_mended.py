"""Blobs handed to a native index, by their address."""
import ctypes
import random

incref = ctypes.pythonapi.Py_IncRef
incref.argtypes = [ctypes.py_object]
decref = ctypes.pythonapi.Py_DecRef
decref.argtypes = [ctypes.py_object]


def share(blob):
    incref(blob)
    return id(blob)


def release(address, blob):
    decref(blob)


def index(count):
    rng = random.Random(4)
    total = 0
    for number in range(count):
        blob = rng.randbytes(700)
        address = share(blob)
        total += address & 1
        release(address, blob)
    return total


def main():
    for part in range(8):
        index(12_000)
    print("done")


main()
