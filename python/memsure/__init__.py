"""memsure: find what your Python program's memory is doing, and what to change."""

__version__ = "0.1.0"
