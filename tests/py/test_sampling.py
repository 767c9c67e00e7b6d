"""Sampled stacks say the truth on average, and their error bars are honest.

A sampled recording (Poisson sampling over bytes) gives each node of the call tree an estimate and its variance. One
program allocates known amounts by 40 call paths that end in the same line; every path of every run is one trial, for
the paths are sampled independently. The seeds are fixed (MEMSURE_SEED), so the test cannot fail by bad luck: it
would fail each time, or never.
"""

import math
import os
from collections import defaultdict

import pytest

from conftest import dedent


PATHS = 40
SAMPLE = 16_384


def path_estimates(process, name, leaf_line):
    """{function that called the leaf's caller chain (its last name): summed estimates} of the nodes that end in `leaf_line`."""
    nodes = process.rows("nodes")
    out = defaultdict(lambda: defaultdict(float))
    for k, node in enumerate(nodes):
        site = process.sites[node["site"]]
        if k == 0 or site["line"] != leaf_line or os.path.basename(site["file"]) != name:
            continue
        parent = node["parent"]
        chain = []
        while parent:
            chain.append(process.sites[nodes[parent]["site"]]["function"].rpartition(".")[2])
            parent = nodes[parent]["parent"]
        path = next((f for f in chain if f.startswith("path_")), None)
        for key in ("samples", "allocated_blocks", "allocated_bytes", "variance", "live_blocks", "live_bytes"):
            out[path][key] += node[key]
    return out


PROGRAM = """
import gc
gc.disable()
ONE, keep = b"x", []
def leaf(size, n):
    for _ in range(n):
        ONE * size                                      # site: leaf
def middle(size, n):
    leaf(size, n)
{functions}
for _ in range(10):
    {calls}
"""


def program(size):
    """40 paths to leaf(), path k makes 10 * (20 + 10 k) blocks of one size, in ten rounds."""
    functions = "\n".join(f"def path_{k}(size): middle(size, {20 + 10 * k})" for k in range(PATHS))
    calls = "; ".join(f"path_{k}({size})" for k in range(PATHS))
    return PROGRAM.format(functions=functions, calls=calls)


def trials(record, size, seeds, sample):
    """(estimate, truth, variance) in bytes for every path of every run. The line's exact figures give the truth."""
    out = []
    for seed in seeds:
        rec = record(program(size), env={"MEMSURE_SAMPLE_BYTES": str(sample), "MEMSURE_SEED": str(seed)})
        p = rec.one
        assert p.info["mode"] == "line" and p.number("sample_bytes") == sample
        exact = rec.at("leaf")
        assert exact.allocated_blocks == 10 * sum(20 + 10 * k for k in range(PATHS))
        each = exact.allocated_bytes / exact.allocated_blocks
        estimates = path_estimates(p, rec.name, rec.marks["leaf"][0])
        assert set(estimates) <= {f"path_{k}" for k in range(PATHS)}, set(estimates)     # every stack reaches its path
        for k in range(PATHS):
            e = estimates[f"path_{k}"]
            out.append((e["allocated_bytes"], each * 10 * (20 + 10 * k), e["variance"]))
    return out


@pytest.mark.parametrize("size", [30, 500, 5000, 40_000])
def test_estimates_and_error_bars(record, size):
    """No bias at any block size below, at and above the sampling distance; 95 % intervals that hold 95 %."""
    sample = 2048 if size == 30 else SAMPLE
    got = trials(record, size, range(1, 7 if size < 40_000 else 4), sample)
    n = len(got)
    # A path whose blocks were never hit has no variance to estimate; its error is judged by the sampling distance.
    z = [(e - t) / math.sqrt(v) for e, t, v in got if v > 0]
    assert len(z) >= 0.75 * n, (len(z), n)
    total, truth = sum(e for e, _, _ in got), sum(t for _, t, _ in got)
    error = math.sqrt(sum(v for _, _, v in got))
    assert abs(total - truth) < 4 * error, (total, truth, error)
    assert error < 0.15 * truth
    # The paths' spread is what their variances say, where there are enough samples for the normal approximation.
    enough = [(e, t, v) for e, t, v in got if t > 40 * max(sample, size)]
    assert len(enough) >= 60
    spread = sum((e - t) ** 2 for e, t, _ in enough) / sum(v for _, _, v in enough)
    assert 0.6 < spread < 1.6, spread
    inside = sum(abs(e - t) <= 1.96 * math.sqrt(v) for e, t, v in enough) / len(enough)
    assert 0.90 <= inside <= 0.995, inside
    worst = max(((e - t) / math.sqrt(v) for e, t, v in enough), key=abs)
    assert abs(worst) < 4.5, worst


def test_seeds_make_runs_repeatable(record):
    def run(seed):
        rec = record(program(500), env={"MEMSURE_SAMPLE_BYTES": str(SAMPLE), "MEMSURE_SEED": str(seed)})
        return {k: v["samples"] for k, v in path_estimates(rec.one, rec.name, rec.marks["leaf"][0]).items()}

    a, b = run(3), run(4)
    assert sum(a.values()) > 0 and a != b


def test_three_paths_live_and_dropped(record):
    """What lives at the end is estimated per path too: one path keeps all, one half, one nothing."""
    source = dedent("""
        import gc
        gc.disable()
        ONE, keep = b"x", []
        def leaf(n):
            out = [None] * n
            for i in range(n):
                out[i] = ONE * 700                          # site: leaf
            return out
        def all_(n): return leaf(n)
        def half(n):
            x = leaf(n)
            return x[::2]
        def none(n): leaf(n)
        for _ in range(30):
            keep.append(all_(200)); keep.append(half(200)); none(200)
        """)
    live, made = defaultdict(list), defaultdict(list)
    for seed in range(1, 9):
        rec = record(source, env={"MEMSURE_SAMPLE_BYTES": str(SAMPLE), "MEMSURE_SEED": str(seed)})
        exact = rec.at("leaf")
        assert exact.allocated_blocks == 18_000 and exact.live_blocks == 9_000
        each = exact.allocated_bytes / 18_000
        nodes = rec.one.rows("nodes")
        for name in ("all_", "half", "none"):
            line = next(i for i, t in enumerate(rec.source.splitlines(), 1) if f"leaf(n)" in t and (f"def {name}" in t or name == "half" and "x = " in t))
            mine = [n for k, n in enumerate(nodes) if k and rec.one.sites[n["site"]]["line"] == rec.marks["leaf"][0]
                    and rec.one.sites[nodes[n["parent"]]["site"]]["line"] == line]
            live[name].append(sum(n["live_bytes"] for n in mine) / (6000 * each))
            made[name].append(sum(n["allocated_bytes"] for n in mine) / (6000 * each))
    # The relative error of one estimate is sqrt(distance / bytes) = 0.06, of the mean of eight 0.022
    sigma = math.sqrt(SAMPLE / (6000 * 733)) / math.sqrt(8)
    for name, expected in (("all_", 1.0), ("half", 0.5), ("none", 0.0)):
        mean = sum(live[name]) / 8
        assert abs(mean - expected) <= 4 * sigma * math.sqrt(max(expected, 0.01)), (name, live[name])
        assert abs(sum(made[name]) / 8 - 1) <= 4 * sigma, (name, made[name])


def test_big_blocks_are_always_seen(record):
    """From 1 MiB up every block has its stack, whatever the sampling distance; then there is nothing to estimate."""
    rec = record("""
        def leaf(n): return bytes(n)                        # site: leaf
        def one(): return leaf(1 << 20)                     # site: one
        def two(): return leaf(5 << 20)                     # site: two
        keep = []
        for _ in range(7): keep.append(one())
        for _ in range(3): two()
        """, env={"MEMSURE_SAMPLE_BYTES": str(1 << 30), "MEMSURE_SEED": "1"})
    nodes = rec.one.rows("nodes")
    found = {}
    for k, n in enumerate(nodes):
        if k and rec.one.sites[n["site"]]["line"] == rec.marks["leaf"][0]:
            parent = rec.one.sites[nodes[n["parent"]]["site"]]["line"]
            b, s, v = found.get(parent, (0, 0, 0))
            found[parent] = (b + n["allocated_blocks"], s + n["allocated_bytes"], v + n["variance"])
    one, two = found[rec.marks["one"][0]], found[rec.marks["two"][0]]
    assert one[0] == pytest.approx(7, abs=1e-6) and two[0] == pytest.approx(3, abs=1e-6)
    assert 7 << 20 <= one[1] <= 7 * 1.25 * (1 << 20) and 15 << 20 <= two[1] <= 15 * 1.25 * (1 << 20)
    assert one[2] == two[2] == 0


def test_default_distance_is_cheap_and_unbiased_over_all(record):
    """With the default distance the whole of a 100 MB churn is estimated within four standard errors."""
    rec = record(program(500).replace("range(10)", "range(30)"))
    p = rec.one
    exact = rec.at("leaf")
    e = path_estimates(p, rec.name, rec.marks["leaf"][0])
    total, variance = sum(x["allocated_bytes"] for x in e.values()), sum(x["variance"] for x in e.values())
    distance = p.number("sample_bytes")
    assert abs(total - exact.allocated_bytes) < 4 * math.sqrt(exact.allocated_bytes * distance), (total, exact.allocated_bytes)
    assert variance == 0 or 0.3 < variance / (exact.allocated_bytes * distance) < 3
