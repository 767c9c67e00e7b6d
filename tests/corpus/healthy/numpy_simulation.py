"""Heat spreads over a plate; the state is kept in two arrays, a summary of each step in a list."""
import numpy as np

size = 700
old = np.zeros((size, size))
old[0] = 100.0
new = old.copy()
history = []
for step in range(500):
    np.add(old[:-2, 1:-1], old[2:, 1:-1], out=new[1:-1, 1:-1])
    new[1:-1, 1:-1] += old[1:-1, :-2]
    new[1:-1, 1:-1] += old[1:-1, 2:]
    new[1:-1, 1:-1] *= 0.25
    history.append((step, float(new.mean()), float(new.max())))
    old, new = new, old
print(history[-1])
