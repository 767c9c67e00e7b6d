"""A list of floats where an array would do."""
import time

VALUES = [i * 0.5 for i in range(300_000)]                  # culprit
time.sleep(0.2)
print(len(VALUES))
