"""Blocks that a library takes from malloc itself, and tells tracemalloc of (numpy before 2.5): recorded with their line, size and life,
whether the loader left the module's table of functions open or closed; and tracemalloc hears of them all the same."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from conftest import check_sums

HEAD = """
import sys
sys.path.insert(0, sys.argv[1])
import told
"""


@pytest.fixture(scope="module", params=["lazy", "now"])
def module(request, tmp_path_factory):
    """A folder with the extension module: its table of functions is writable, or closed by the loader."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp(request.param)
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O2", f"-Wl,-z,relro,-z,{request.param}", f"-I{sysconfig.get_path('include')}",
                           str(Path(__file__).with_name("told.c")), "-o", str(folder / f"told{sysconfig.get_config_var('EXT_SUFFIX')}")],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("mode", [(), ("--exact",)])
def test_each_block_has_its_line_its_size_and_its_life(mode, record, module):
    rec = record(HEAD + """
def work():
    kept = [told.take(50_000) for _ in range(20)]       # site: kept
    small = told.take(100)                              # site: small
    device = told.take(50_000, 7)                       # site: device
    for _ in range(10):
        told.give(told.take(1 << 20))                   # site: freed
    a = told.take(2_000)                                # site: first
    for i in range(1, 6):
        a = told.grow(a, 2_000 << i)                    # site: grown
    told.twice(20_000)                                  # site: twice
    return kept, small, device, a
KEPT = work()
""", *mode, args=[module])
    check_sums(rec.one)
    kept, freed, grown, first, twice = (rec.at(name) for name in ("kept", "freed", "grown", "first", "twice"))
    assert kept.live_bytes == pytest.approx(20 * 50_000, abs=2_000)      # and the addresses
    assert (freed.allocated_bytes, freed.live_bytes) == (pytest.approx(10 << 20, abs=1_000), 0)
    assert (first.live_bytes, grown.live_bytes) == (0, pytest.approx(64_000, abs=100))
    assert grown.allocated_bytes == pytest.approx(2_000 * (2 + 4 + 8 + 16 + 32), abs=1_500)
    assert (twice.allocated_bytes, twice.live_bytes) == (pytest.approx(20_000, abs=100), 0)
    assert rec.at("small").live_bytes + rec.at("device").live_bytes < 100


def test_a_block_freed_without_a_word_ends_when_its_place_is_taken(record, module):
    rec = record(HEAD + """
print(told.replaced(60_000))                            # site: replaced
""", args=[module])
    check_sums(rec.one)
    assert rec.stdout == "True\n"
    assert (rec.at("replaced").allocated_bytes, rec.at("replaced").live_bytes) == (pytest.approx(120_000, abs=1_500), pytest.approx(0, abs=500))


def test_no_block_is_no_block(record, module):
    """Where empty places of the table were those of blocks that were told of."""
    rec = record(HEAD + """
kept = told.take(50_000)
for turn in range(16):      # at other addresses each time
    many = [told.take(2_000 + 528 * turn) for _ in range(400)]
    for block in many:
        told.give(block)
        told.nothing()                                  # site: nothing
""", args=[module])
    check_sums(rec.one)
    assert rec.at("nothing").allocated_bytes < 50_000


def test_tracemalloc_hears_of_them_too(record, module):
    rec = record(HEAD + """
import tracemalloc
tracemalloc.start()
KEPT = told.take(1 << 20)
print([t.size for t in tracemalloc.take_snapshot().traces if t.domain == 389047])
told.give(KEPT)
print([t.size for t in tracemalloc.take_snapshot().traces if t.domain == 389047])
""", args=[module])
    assert rec.stdout == "[1048576]\n[]\n"
