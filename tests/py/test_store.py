"""The file as Python sees it: _core and the second decoder agree, on sound files and on broken ones."""
import array
import gc
import os
import pathlib
import random
import signal
import stat
import subprocess
import sys

import pytest

from memsure import _core

sys.path.insert(0, os.path.dirname(__file__))
import decode
import golden

GOLDEN = pathlib.Path(__file__).parent.parent / "data" / "v1.memsure"


def random_tables(rng):
    tables = {}
    for t in range(rng.randrange(5)):
        columns = tables[f"table_{t}"] = {}
        for c in range(1, 1 + rng.randrange(6)):
            kind = rng.choice(list(golden.CODES))
            width = rng.choice([1, 1, 1, 2, 12])
            data = array.array(golden.CODES[kind])
            data.frombytes(rng.randbytes(rng.randrange(40) * width * data.itemsize))
            columns[f"c{c}"] = (kind, width, data)
    return {t: c for t, c in tables.items() if c}


def same(got, want):
    """Bit for bit: a random f64 may be a NaN, which equals nothing."""
    return array.array(want.typecode, got).tobytes() == want.tobytes()


def expect(path, tables):
    ours, second = _core.open(path), decode.decode(path)
    shapes = {t: {c: (kind, len(data) // width, width) for c, (kind, width, data) in columns.items()}
              for t, columns in tables.items()}
    assert ours.tables == second.tables == shapes
    assert ours.damage is None and ours.verify() is None and second.whole
    for table, columns in tables.items():
        for column, (kind, _, data) in columns.items():
            view = ours.column(table, column)
            assert view.readonly and view.ndim == 1 and view.format == golden.CODES[kind]
            assert view.tobytes() == data.tobytes()
            assert same(second.column(table, column), data)


def test_golden_file_stays_readable():
    expect(GOLDEN, golden.tables())
    assert decode.decode(GOLDEN).strings() == golden.STRINGS


def test_writer_still_writes_the_golden_file(tmp_path):
    """The same tables give the same bytes. When the format gains something, add a golden file; keep the old."""
    _core.write(tmp_path / "f", golden.tables())
    assert (tmp_path / "f").read_bytes() == GOLDEN.read_bytes()


@pytest.mark.parametrize("seed", range(30))
def test_decoders_agree_on_random_tables(tmp_path, seed):
    tables = random_tables(random.Random(seed))
    _core.write(tmp_path / "f", tables)
    expect(tmp_path / "f", tables)


@pytest.mark.parametrize("seed", range(60))
def test_decoders_agree_on_damage(tmp_path, seed):
    """A cut or some flipped bytes: both find the same columns, with the same values."""
    rng = random.Random(seed)
    tables = random_tables(rng) or {"t": {"c": ("u8", 1, array.array("B", b"abc"))}}
    path = tmp_path / "f"
    _core.write(path, tables)
    data = bytearray(path.read_bytes())
    if seed % 2:
        del data[rng.randrange(64, len(data)):]
    else:
        for _ in range(rng.choice([1, 2, 20])):
            data[rng.randrange(12, len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    ours, second = _core.open(path), decode.decode(path)
    ours.verify()
    assert ours.tables == second.tables
    assert (ours.damage is None) == second.whole
    for table, columns in ours.tables.items():
        for column in columns:
            assert same(second.column(table, column), tables[table][column][2])
            assert ours.column(table, column).tobytes() == tables[table][column][2].tobytes()


def test_a_view_keeps_the_file(tmp_path):
    data = array.array("Q", range(100_000))
    _core.write(tmp_path / "f", {"t": {"c": ("u64", 1, data)}})
    file = _core.open(tmp_path / "f")
    view = file.column("t", "c")[10:20]
    del file
    gc.collect()
    os.unlink(tmp_path / "f")
    assert list(view) == list(range(10, 20))
    with pytest.raises(TypeError):
        view[0] = 1


def test_mapped_file_is_closed_with_its_last_view(tmp_path):
    path = tmp_path / "large"
    _core.write(path, {"t": {"c": ("u8", 1, bytes(20 << 20))}})  # more than what is copied

    def open_here():
        return [fd for fd in os.listdir("/proc/self/fd") if os.path.realpath(f"/proc/self/fd/{fd}") == str(path)]

    view = _core.open(path).column("t", "c")
    assert len(open_here()) == 1 and len(view) == 20 << 20
    del view
    gc.collect()
    assert open_here() == []


def test_columns_can_come_from_any_buffer(tmp_path):
    """And a column read can be written again, without a copy in between."""
    _core.write(tmp_path / "a", {"t": {"m": ("i32", 2, memoryview(array.array("i", range(6)))), "b": ("u8", 1, b"xyz")}})
    file = _core.open(tmp_path / "a")
    _core.write(tmp_path / "b", {"t": {c: (kind, width, file.column("t", c))
                                       for c, (kind, _, width) in file.tables["t"].items()}})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_file_is_private_and_whole_or_not_there(tmp_path):
    path = tmp_path / "f"
    _core.write(path, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(ValueError):
        _core.write(path, {"t": {"c": ("u8", 1, b"1"), "D": ("u8", 1, b"1")}})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("column, text", [
    ({"c": ("u24", 1, b"123")}, "not one of u8 i32"),
    ({"c": ("u32", 1, b"123")}, "whole rows"),
    ({"c": ("u32", 0, b"")}, "whole rows"),
    ({"C": ("u8", 1, b"")}, "a-z"),
    ({"c" * 32: ("u8", 1, b"")}, "a-z"),
    ({"c": ("u8", 1 << 25, b"")}, "at most"),
])
def test_wrong_columns(tmp_path, column, text):
    with pytest.raises(ValueError, match=text):
        _core.write(tmp_path / "f", {"t": column})


@pytest.mark.parametrize("tables", [{"t": {"c": 1}}, {"t": {"c": ("u8", 1)}}, {"t": {1: ("u8", 1, b"")}},
                                    {"t": {"c": ("u8", 1, "text")}}, {1: {}}])
def test_wrong_types(tmp_path, tables):
    with pytest.raises(TypeError):
        _core.write(tmp_path / "f", tables)
    assert os.listdir(tmp_path) == []


def error_of(call, *args):
    with pytest.raises(_core.Error) as caught:
        call(*args)
    return caught.value


@pytest.mark.parametrize("data, text", [
    (b"", "{} is not a memsure file (it is empty)"),
    (b"PK\3\4abc", '{} is not a memsure file (it begins with "PK": a zip archive)'),
    (b"print('hi')\n", "{} is not a memsure file (it begins with \"print('hi')\": text)"),
    (bytes(8), "{} is not a memsure file (it begins with 00 00 00 00 00 00)"),
])
def test_foreign_files(tmp_path, data, text):
    path = tmp_path / "run.memsure"
    path.write_bytes(data)
    error = error_of(_core.open, path)
    assert str(error) == text.format(path) and error.path == str(path)


def test_errors_are_sentences(tmp_path):
    assert str(error_of(_core.open, "nowhere.memsure")) == "'nowhere.memsure' does not exist"
    assert "it is a folder" in str(error_of(_core.open, tmp_path))
    assert "does not exist" in str(error_of(_core.write, tmp_path / "no" / "f", {}))
    assert "not a regular file" in str(error_of(_core.write, "/dev/full", {}))
    _core.write(tmp_path / "f", {})
    file = _core.open(tmp_path / "f")
    assert str(error_of(file.column, "t", "c")) == f"{tmp_path / 'f'} has no column t.c"
    assert _core.Error("x").path is None


def test_damage_is_one_sentence(tmp_path):
    path = tmp_path / "f"
    data = GOLDEN.read_bytes()
    total = sum(map(len, golden.tables().values()))
    path.write_bytes(data[:-1])
    assert _core.open(path).damage == f"{path} ends early; {total} of {total} columns are whole"
    at = data.index("ünï".encode())
    path.write_bytes(data[:at] + b"?" + data[at + 1:])
    file = _core.open(path)
    assert file.damage is None  # nobody has looked yet
    error = error_of(file.column, "strings", "data")
    assert str(error) == f"{path} is damaged: the column strings.data does not match its checksum"
    assert file.damage == f"{path} is damaged; {total - 1} of {total} columns are whole; not strings.data"
    assert "data" not in file.tables["strings"]


def test_strange_paths(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff\n.memsure"
    _core.write(path, {})
    assert _core.open(path).path == os.fsdecode(path)
    os.unlink(path)
    assert error_of(_core.open, path).path == os.fsdecode(path)
    with pytest.raises(ValueError):
        _core.open("a\0b")


def test_limit_on_file_size(tmp_path):
    code = """if True:
        import resource, sys
        from memsure import _core
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            _core.write(sys.argv[1], {"t": {"c": ("u8", 1, bytes(100000))}})
        except _core.Error as error:
            print(error)
    """
    out = subprocess.run([sys.executable, "-c", code, str(tmp_path / "f")], capture_output=True, text=True, check=True)
    assert out.stdout == f"cannot write {tmp_path / 'f'}: File too large\n"
    assert os.listdir(tmp_path) == []


def test_killed_writers_leave_the_old_file(tmp_path):
    path = tmp_path / "f"
    _core.write(path, golden.tables())
    code = """if True:
        import sys
        from memsure import _core
        print("on", flush=True)
        while True:
            _core.write(sys.argv[1], {"t": {"c": ("u8", 1, bytes(3_000_000))}})
    """
    for wait in (0.0, 0.01, 0.02, 0.05):
        child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        child.stdout.readline()
        try:
            child.wait(wait)
        except subprocess.TimeoutExpired:
            pass
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert _core.open(path).verify() is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs subinterpreters with their own GIL")
def test_works_in_subinterpreters(tmp_path):
    interpreters = pytest.importorskip("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
    interpreter = interpreters.create()
    code = f"""if True:
        import sys
        sys.path[:] = {sys.path!r}
        from memsure import _core
        _core.write({str(tmp_path / 'f')!r}, {{"t": {{"c": ("u8", 1, b"abc")}}}})
        view = _core.open({str(tmp_path / 'f')!r}).column("t", "c")
    """
    failed = interpreters.run_string(interpreter, code)
    interpreters.destroy(interpreter)
    assert failed is None
    assert bytes(_core.open(tmp_path / "f").column("t", "c")) == b"abc"


def test_nothing_leaks(tmp_path):
    path = tmp_path / "f"
    tables = golden.tables()
    file_type = type(_core.open(GOLDEN))

    def once():
        _core.write(path, tables)
        file = _core.open(path)
        file.tables, file.damage, file.verify(), file.column("strings", "data"), repr(file)
        for call in (lambda: _core.open("/nowhere"), lambda: file.column("a", "b"),
                     lambda: _core.write("/nowhere/f", {}), lambda: _core.write(path, {"t": {"c": 1}})):
            try:
                call()
            except (_core.Error, TypeError):
                pass

    for _ in range(5):
        once()
    gc.collect()
    before, refs = sys.getallocatedblocks(), sys.getrefcount(file_type)
    for _ in range(50):
        once()
    gc.collect()
    after, refs_after = sys.getallocatedblocks(), sys.getrefcount(file_type)
    assert after - before < 40
    assert refs_after == refs
