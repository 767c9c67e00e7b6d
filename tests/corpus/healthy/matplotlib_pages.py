"""Charts drawn one after another, each figure closed."""
import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

size = 0
for n in range(25):
    figure, axes = plt.subplots(figsize=(5, 4))
    axes.plot(np.cumsum(np.random.default_rng(n).normal(size=500)), label=f"run {n}")
    axes.set_title(f"Run {n}")
    axes.legend()
    out = io.BytesIO()
    figure.savefig(out, format="png")
    size += len(out.getvalue())
    plt.close(figure)
print(size > 0)
