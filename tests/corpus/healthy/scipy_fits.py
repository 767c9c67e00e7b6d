"""Curves are fitted to noisy measurements, one experiment after the other; the parameters are kept, the data is not."""
import numpy as np
from scipy.optimize import curve_fit
from scipy.signal import savgol_filter


def decay(t, a, rate, floor):
    return a * np.exp(-rate * t) + floor


rng = np.random.default_rng(8)
t = np.linspace(0, 10, 4000)
found = []
for n in range(250):
    true = rng.uniform([1, 0.2, 0], [5, 1.5, 1])
    y = decay(t, *true) + rng.normal(0, 0.05, t.size)
    smooth = savgol_filter(y, 31, 3)
    params, _ = curve_fit(decay, t, smooth, p0=(2, 0.5, 0.1))
    found.append(params)
print(np.round(np.mean(found, axis=0), 3))
