"""Tables of a snapshot as the Arrow C stream: pyarrow, Polars, DuckDB and pandas read them, without a copy. Where one of them is not
installed its tests are skipped; the interface itself is walked here with ctypes on every Python."""

import ctypes
import gc
import os
import subprocess
import sys
from array import array

import pytest
import synthetic_snapshot as synthetic

from memsure import _core
from memsure.snap import Snapshot


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


Schema._fields_ = [("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_char_p), ("flags", ctypes.c_int64),
                   ("n_children", ctypes.c_int64), ("children", ctypes.POINTER(ctypes.POINTER(Schema))), ("dictionary", ctypes.POINTER(Schema)),
                   ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Schema))), ("private", ctypes.c_void_p)]
Array._fields_ = [("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64), ("n_buffers", ctypes.c_int64),
                  ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)), ("children", ctypes.POINTER(ctypes.POINTER(Array))),
                  ("dictionary", ctypes.POINTER(Array)), ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))), ("private", ctypes.c_void_p)]
Stream._fields_ = [("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Schema))),
                   ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Array))),
                   ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(Stream))),
                   ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Stream))), ("private", ctypes.c_void_p)]


def stream_of(table):
    capsule = table.__arrow_c_stream__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return capsule, ctypes.cast(pointer(capsule, b"arrow_array_stream"), ctypes.POINTER(Stream)).contents


def walked(table):
    """What a consumer sees -> ({name: (format, values)}, addresses)."""
    capsule, stream = stream_of(table)
    schema, batch = Schema(), Array()
    assert stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)) == 0 and schema.format == b"+s"
    assert stream.get_next(ctypes.byref(stream), ctypes.byref(batch)) == 0
    out, addresses = {}, {}
    sizes = {b"C": ctypes.c_uint8, b"S": ctypes.c_uint16, b"I": ctypes.c_uint32, b"i": ctypes.c_int32, b"L": ctypes.c_uint64,
             b"l": ctypes.c_int64, b"g": ctypes.c_double}

    def numbers(kind, a):
        return list((sizes[kind] * a.length).from_address(a.buffers[1])) if a.length else []

    def texts(a):
        offsets = (ctypes.c_int64 * (a.length + 1)).from_address(a.buffers[1])
        data = ctypes.string_at(a.buffers[2], offsets[a.length]) if a.buffers[2] else b""
        return [data[offsets[i]:offsets[i + 1]].decode() for i in range(a.length)]
    assert batch.n_children == schema.n_children
    for i in range(batch.n_children):
        s, a = schema.children[i].contents, batch.children[i].contents
        assert a.length == batch.length and a.null_count == 0 and a.offset == 0
        addresses[s.name.decode()] = a.buffers[1]
        if s.format == b"U":
            values = texts(a)
        else:
            values = numbers(s.format, a)
            if s.dictionary:
                words = texts(a.dictionary.contents)
                values = [words[v] for v in values]
        out[s.name.decode()] = s.format.decode(), values
    last = Array()
    assert stream.get_next(ctypes.byref(stream), ctypes.byref(last)) == 0 and not last.release
    batch.release(ctypes.byref(batch))
    schema.release(ctypes.byref(schema))
    assert not batch.release and not schema.release
    return out, addresses


@pytest.fixture
def shop(tmp_path):
    return Snapshot.open(synthetic.shop(products=50).write(tmp_path / "run.memsure"))


def test_columns_of_the_file_are_not_copied(shop):
    found, addresses = walked(shop.table("objects"))
    for name, (kind, values) in found.items():
        column = shop.file.column("objects", name)
        assert values == list(column)
        assert addresses[name] == ctypes.addressof(ctypes.c_char.from_buffer_copy(b"x")) or addresses[name] == address_of(column)


def address_of(view):
    class Buffer(ctypes.Structure):
        _fields_ = [("buf", ctypes.c_void_p), ("rest", ctypes.c_char * 200)]
    b = Buffer()
    get = ctypes.pythonapi.PyObject_GetBuffer
    get.argtypes = [ctypes.py_object, ctypes.c_void_p, ctypes.c_int]
    assert get(view, ctypes.addressof(b), 0) == 0
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(b))
    return b.buf


def test_texts_are_a_dictionary_over_the_files_strings(shop):
    found, _ = walked(shop.table("sites"))
    assert found["function"][1][1:3] == ["<module>", "Catalog.__init__"] and found["line"][1][1] == 8


def test_rows_of_figures(shop):
    found, _ = walked(shop.table("types"))
    assert dict(zip(found["type"][1], found["retained_bytes"][1])) == {r[0]: r[4] for r in shop.types()}
    for name in shop.tables:
        walked(shop.table(name))
    with pytest.raises(KeyError, match="no table nonsense; there are "):
        shop.table("nonsense")


def test_who_lets_go_last_closes_the_file(tmp_path):
    path = synthetic.shop(products=3000).write(tmp_path / "run.memsure")

    def files():
        return sum(os.path.realpath(f"/proc/self/fd/{fd}") == str(path) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))
    snap = Snapshot.open(path)
    capsule, stream = stream_of(snap.table("objects"))
    batch = Array()
    assert stream.get_next(ctypes.byref(stream), ctypes.byref(batch)) == 0
    del snap, capsule, stream
    gc.collect()
    child = batch.children[1].contents
    assert list((ctypes.c_uint32 * 3).from_address(child.buffers[1]))[0] >= 0      # still there
    batch.release(ctypes.byref(batch))
    gc.collect()
    assert files() == 0


def test_a_child_may_be_moved_out_and_released_later(shop):
    capsule, stream = stream_of(shop.table("objects"))
    batch, mine = Array(), Array()
    assert stream.get_next(ctypes.byref(stream), ctypes.byref(batch)) == 0
    ctypes.memmove(ctypes.byref(mine), batch.children[0], ctypes.sizeof(Array))
    batch.children[0].contents.release = ctypes.cast(None, type(mine.release))
    batch.release(ctypes.byref(batch))
    assert mine.length == shop.core.nodes and mine.release
    mine.release(ctypes.byref(mine))
    assert not mine.release


def test_a_stream_that_nobody_reads_is_let_go(shop):
    before = sys.getrefcount(shop.file)
    for _ in range(100):
        shop.table("objects").__arrow_c_stream__()
        shop.table("objects").__arrow_c_schema__()
    gc.collect()
    after = sys.getrefcount(shop.file)
    assert after == before


@pytest.mark.parametrize("columns", [[("a", array("q", [1])), ("b", array("q", [1, 2]))], [("a", (array("q", [0, 5]), b"abc"))],
                                     [("a", (array("q", [3, 1]), b"abc"))], [("a", (array("I", [2]), array("q", [0, 1]), b"a"))], [("a", (1,))],
                                     [("a", 1)], [("a",)], 1, [("a", memoryview(b"xx").cast("c"))]])
def test_what_is_no_table_is_an_exception(columns):
    with pytest.raises((TypeError, ValueError)):
        _core.Table(columns)


def test_empty_tables():
    assert walked(_core.Table([]))[0] == {}
    assert walked(_core.Table([("a", array("Q")), ("b", (array("q", [0]), b""))]))[0] == {"a": ("L", []), "b": ("U", [])}


# -- the real ones

def test_pyarrow(shop):
    pa = pytest.importorskip("pyarrow")
    t = pa.table(shop.table("objects"))
    assert t.num_rows == shop.core.nodes and t["shape"].to_pylist() == list(shop.file.column("objects", "shape"))
    assert t["shape"].chunk(0).buffers()[1].address == address_of(shop.file.column("objects", "shape"))
    t.validate(full=True)
    types = pa.table(shop.table("types"))
    types.validate(full=True)
    assert types.column("type").to_pylist() == [r[0] for r in shop.types()]
    sites = pa.table(shop.table("sites"))
    sites.validate(full=True)
    assert "Catalog.get" in sites["function"].to_pylist()


def test_polars(shop):
    pl = pytest.importorskip("polars")
    df = pl.DataFrame(shop.table("types"))
    assert df.filter(pl.col("type") == "shop.cache.Product")["objects"].to_list() == [50]
    assert pl.DataFrame(shop.table("objects"))["birth"].sum() == sum(shop.file.column("objects", "birth"))
    assert "Catalog.get" in pl.DataFrame(shop.table("sites"))["function"].cast(pl.String).to_list()


def test_duckdb(shop):
    duckdb = pytest.importorskip("duckdb")
    types = shop.table("types")     # noqa: F841 -- DuckDB finds it by its name
    assert duckdb.sql("select objects from types where type = 'shop.cache.Product'").fetchall() == [(50,)]
    objects, sites = shop.table("objects"), shop.table("sites")     # noqa: F841
    assert duckdb.sql("select count(*), sum(birth) from objects").fetchall() == [
        (shop.core.nodes, sum(shop.file.column("objects", "birth")))]
    assert ("Catalog.get",) in duckdb.sql("select function from sites").fetchall()


def test_pandas(shop):
    pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    if not hasattr(pd.DataFrame, "from_arrow"):
        pytest.skip("this pandas has no DataFrame.from_arrow")
    df = pd.DataFrame.from_arrow(shop.table("types"))
    assert df[df.type == "shop.cache.Product"].objects.tolist() == [50]


@pytest.mark.slow
def test_the_readers_of_today(tmp_path):
    """pyarrow, Polars, DuckDB and pandas, installed for this test where they are not there."""
    venv = tmp_path / "venv"
    done = subprocess.run([sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True)
    pip = subprocess.run([str(venv / "bin/python"), "-m", "pip", "install", "-q", "--only-binary=:all:", "pyarrow", "polars", "duckdb", "pandas",
                          "pytest"], capture_output=True, text=True) if not done.returncode else done
    if pip.returncode:
        pytest.skip(f"cannot install the readers: {pip.stderr.strip().splitlines()[-1:]}")
    import memsure

    env = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(os.path.dirname(memsure.__file__)), os.path.dirname(__file__)])}
    done = subprocess.run([str(venv / "bin/python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", __file__, "-k",
                           "pyarrow or polars or duckdb or pandas"], capture_output=True, text=True, env=env)
    assert done.returncode == 0 and "skipped" not in done.stdout, done.stdout
