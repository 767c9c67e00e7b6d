"""Sparse systems, optimisation, signals, integrals."""

import numpy as np
import scipy.integrate as si
import scipy.optimize as so
import scipy.signal as ss
import scipy.sparse as sp
import scipy.sparse.linalg as sl

rng = np.random.default_rng(0)
s = 0
for i in range(40):
    a = rng.standard_normal((250, 250))
    u, d, v = np.linalg.svd(a)
    s += d[0]
    np.linalg.solve(a, rng.standard_normal(250))
    np.linalg.eigvals(a[:80, :80])
A = sp.random(3000, 3000, 0.002, random_state=0) + sp.eye(3000) * 5
for i in range(10):
    x = sl.spsolve(A.tocsc(), rng.standard_normal(3000))
    s += x.sum()
hist = []
r = so.minimize(so.rosen, np.zeros(20), callback=lambda x: hist.append(so.rosen(x)))
q = si.solve_ivp(lambda t, y: [y[1], -y[0]], (0, 200), [1, 0], rtol=1e-8)
f = ss.fftconvolve(rng.standard_normal(200000), np.hanning(501))
print(r.success, q.success, len(f), len(hist) > 5)
