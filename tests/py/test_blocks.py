"""Memory that C types take beside their objects: every block is told as the object's that it belongs to, and none as raw memory,
which the rules would take for a leak. One program makes some of each kind, a kind to a line."""

import json
import sys

import pytest
from conftest import MEMSURE, run
from test_snapshot import SNAPSHOT, Snap

KINDS = {
    "BytesIO": "x = io.BytesIO(); x.write(b'x' * 300)",
    "StringIO": "x = io.StringIO(); x.write('x' * 300)",
    "BufferedReader": "x = io.BufferedReader(io.BytesIO(b'a' * 10_000)); x.read(5)",
    "BufferedReader, small": "x = io.BufferedReader(io.BytesIO(b'a' * 10_000), 600); x.read(5)",
    "BufferedWriter": "x = io.BufferedWriter(io.BytesIO(), 700); x.write(b'a')",
    "BufferedWriter, where texts were": "y = [bytes(650) for k in range(20)]; del y; x = io.BufferedWriter(io.BytesIO(), 690); x.write(b'a')",
    "BufferedRandom": "x = io.BufferedRandom(io.BytesIO(), 700); x.write(b'a')",
    "BufferedRWPair": "x = io.BufferedRWPair(io.BytesIO(b'a' * 100), io.BytesIO(), 500)",
    "TextIOWrapper": "x = io.TextIOWrapper(io.BytesIO(b'hello\\nworld\\n' * 20)); x.readline(); x.tell()",
    "TextIOWrapper, written": "x = io.TextIOWrapper(io.BytesIO(), newline='\\r\\n'); x.write('abc')",
    "csv.reader": "x = csv.reader(io.StringIO('a,b\\n' + 'x' * 500 + ',c\\n')); next(x); next(x)",
    "csv.writer": "x = csv.writer(io.StringIO()); x.writerow(['a' * 400])",
    "Pickler": "x = pickle.Pickler(io.BytesIO()); x.dump([str(k) for k in range(50)])",
    "Unpickler": "x = pickle.Unpickler(io.BytesIO(pickle.dumps([str(k) for k in range(50)]))); x.load()",
    "re": "x = re.compile('(a%d)+b|[c-f]*' % i), re.match('(a)(b)(c)?', 'abc'), re.compile('(a)(b)').scanner('ababab')",
    "deque": "x = collections.deque(range(200)), collections.deque(maxlen=3)",
    "OrderedDict": "x = collections.OrderedDict((k, k) for k in range(50))",
    "tee": "x = itertools.tee(iter(range(300))); [next(x[0]) for k in range(200)]",
    "itertools": "x = [itertools.product(range(5), range(4), repeat=3), itertools.permutations(range(20)), itertools.combinations(range(20), 10)]; [next(y) for y in x]",
    "array": "x = array.array('d', range(100)), memoryview(array.array('d', range(100)))[1:]",
    "memoryview": "x = memoryview(bytearray(120)).cast('B', (10, 12))",
    "struct": "x = struct.Struct('<' + 'ihq' * 10)",
    "hashlib": "x = [hashlib.new(a, b'abc') for a in ('md5', 'sha256', 'sha3_256', 'blake2b')]",
    "zlib": "x = zlib.compressobj(1), zlib.decompressobj(); x[0].compress(b'abc'); x[1].decompress(zlib.compress(b'a' * 1000)[:10])",
    "bz2": "x = bz2.BZ2Decompressor(); x.decompress(bz2.compress(b'a' * 1000, 1)[:30])",
    "lzma": "x = lzma.LZMADecompressor(); x.decompress(XZ[:60])",
    "sqlite3": "x = sqlite3.connect(':memory:'); x.execute('create table t(a)'); x = x, x.execute('select ? a', (i,)); x = x, x[1].fetchone()",
    "expat": "x = pyexpat.ParserCreate(); x.StartElementHandler = print and (lambda *a: None); x.Parse('<a>' + ''.join('<t%d a%d=\"1\"/>' % (k, k) for k in range(40)))",
    "ElementTree": "x = ET.fromstring('<a x=\"1\"><b/><c>t</c><d/><e/><f/><g/></a>'), ET.XMLParser(); x[1].feed('<a><b>')",
    "ctypes": "x = S(), (ctypes.c_double * 100)(), CALLBACK(lambda y: y), ctypes.create_string_buffer(300), ctypes.pointer(ctypes.c_int(3))",
    "ctypes types": "x = type('S%d' % i, (ctypes.Structure,), {'_fields_': [('a%d' % k, ctypes.c_int) for k in range(8)]}); x = x, x * 3, ctypes.POINTER(x)",
    "lru_cache": "x = functools.lru_cache(maxsize=20)(lambda y: y); [x(k) for k in range(30)]",
    "json": "x = json.JSONDecoder(), json.JSONEncoder(); x[0].decode('[1]')",
    "decimal": "x = decimal.Decimal('1' * 600), decimal.Decimal(i), decimal.Context(prec=50)",
    "datetime": "x = datetime.datetime.now(), datetime.time(1), datetime.timezone(datetime.timedelta(hours=i))",
    "zoneinfo": "x = zoneinfo.ZoneInfo.from_file(io.BytesIO(ZONE))",
    "socket": "x = socket.socket(), select.poll(); x[1].register(0, 1)",
    "ssl": "x = TLS.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname='a.b'), ssl.MemoryBIO(); x[1].write(b'x' * 500)",
    "queue": "x = queue.SimpleQueue(); [x.put(k) for k in range(30)]",
    "contextvars": "x = contextvars.copy_context(); [x.run(v.set, i) for v in VARIABLES]",
    "random": "x = random.Random(i)",
    "operator": "x = operator.itemgetter(1, 2), operator.attrgetter('a.b', 'c'), operator.methodcaller('f', 1, x=2)",
    "codecs": "x = codecs.getincrementaldecoder('shift_jis')(), codecs.getincrementalencoder('utf-16')()",
    "code": "x = compile('def f(a, b=2):\\n  return [x for x in a if x > %d]' % i, 'f', 'exec')",
    "str with utf-8": "x = 'é%d' % i * 20; utf8(x)",
    "bytearray": "x = bytearray(); x += b'x' * 500; del x[:100]",
    "sets and lists": "x = set(range(100)), list(range(50)), {k: k for k in range(50)}; x[1].clear(); x = *x, iter(x[0]), sorted(x[2])",
    "instances": "x = Many(); [setattr(x, 'a%d' % k, k) for k in range(40)]; x = x, Few(), vars(Few()), dict(vars(Few()))",
    "memory map": "x = mmap.mmap(-1, 4096)",
    "scandir": "x = os.scandir('/')",
    "numpy": "x = np.arange(100.0), np.zeros((3, 4), dtype=object), np.array(['a', 'bc']), np.dtype([('a', 'i4'), ('b', 'O')]), np.arange(10)[::2]",
    "numpy buffers": "x = memoryview(np.arange(10)), memoryview(np.zeros((2, 3), dtype=[('a', 'i4'), ('b', 'f8')])), np.matrix([[1]]), np.ma.array([1, 2])",
}

HEAD = """
import array, bz2, codecs, collections, contextvars, csv, ctypes, datetime, decimal, functools, hashlib, io, itertools, json, lzma, mmap, operator, os
import pickle, pyexpat, queue, random, re, select, socket, sqlite3, ssl, struct, zlib, zoneinfo
import xml.etree.ElementTree as ET
try: import numpy as np
except ImportError: pass
XZ = lzma.compress(b'a' * 1000)
ZONE = b'TZif2' + bytes(15) + struct.pack('>6l', 0, 0, 0, 0, 1, 4) + bytes(6) + b'UTC\\0' + b'TZif2' + bytes(15) + struct.pack('>6l', 0, 0, 0, 0, 1, 4) + bytes(6) + b'UTC\\0' + b'\\nUTC0\\n'
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
VARIABLES = [contextvars.ContextVar('v%d' % k) for k in range(10)]
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
utf8 = ctypes.pythonapi.PyUnicode_AsUTF8
utf8.argtypes = ctypes.py_object,
class S(ctypes.Structure): _fields_ = [('a', ctypes.c_int * 50), ('p', ctypes.c_void_p)]
class Many: pass
class Few:
    def __init__(self): self.a = self.b = self.c = 1
KEEP = []
"""


def test_blocks_of_c_types_are_their_objects(tmp_path):
    kinds = {name: words for name, words in KINDS.items() if "np." not in words or has_numpy()}
    source = SNAPSHOT + HEAD
    lines = {}
    for name, words in kinds.items():
        lines[source.count("\n") + 2] = name
        source += f"for i in range(12):\n    {words}; KEEP.append(x)\n"
    source += "reader, decoder = next(x for x in KEEP if type(x) is io.BufferedReader), next(x for x in KEEP if type(x) is lzma.LZMADecompressor)\n"
    (tmp_path / "app.py").write_text(source + "snap(reader=reader, decoder=decoder)\n")
    done = run([*MEMSURE, "run", "-q", "--snapshot=none", "-o", "r.memsure", "app.py", "s.memsure"], cwd=tmp_path,
               env={"MEMSURE_SNAPSHOT_CHECK": "1"})    # the child checks that each live slot is an object's, owned, or raw
    assert done.returncode == 0, done.stderr
    s, facts = Snap(tmp_path / "s.memsure"), json.loads(done.stdout)
    files, line = s.column("sites", "file"), s.column("sites", "line")
    raw = {lines.get(line[site], line[site]): blocks for site, blocks in zip(s.column("raw", "site"), s.column("raw", "blocks"))
           if s.strings[files[site]].endswith("app.py")}
    assert raw == {}
    assert s.allocated(s.at[facts["reader"]]) >= 8192 and s.allocated(s.at[facts["decoder"]]) >= 1 << 20
    left = [(lines[line[s.site[n]]], s.type(n), refs) for n, refs in s.unexplained.items()
            if n <= s.objects and line[s.site[n]] in lines and s.strings[files[s.site[n]]].endswith("app.py")]
    assert left == []


def has_numpy():
    try:
        import numpy
    except ImportError:
        return False
    return bool(numpy)


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
def test_short_objects_that_nobody_refers_to_are_there(recorded, tmp_path):
    """Their type says more bytes than they take: a text of a few letters, a time without a zone."""
    (tmp_path / "app.py").write_text(SNAPSHOT + """
import ctypes, datetime
lost = [str(10 ** 7 + i) for i in range(20)] + [datetime.datetime(2000, 1, 1 + i) for i in range(20)] + [datetime.time(i) for i in range(20)]
for o in lost:
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(o))
where = [id(o) for o in lost]
del o, lost
snap(where)
""")
    words = [*MEMSURE, "run", "-q", "--snapshot=none", "-o", "r.memsure"] if recorded else [sys.executable]
    done = run([*words, "app.py", "s.memsure"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    s, where = Snap(tmp_path / "s.memsure"), json.loads(done.stdout)["say"]
    assert [s.type(s.at[a]) if a in s.at else None for a in where] == ["str"] * 20 + ["datetime.datetime"] * 20 + ["datetime.time"] * 20
    assert [s.unexplained.get(s.at[a]) for a in where] == [1] * 60


def test_what_the_loader_left_holds_nothing(tmp_path):
    """Words of the dynamic loader's data may say the address of something long gone, where an object lies now."""
    (tmp_path / "app.py").write_text(SNAPSHOT + """
import ctypes, struct
libc = ctypes.CDLL(None)
libc.getauxval.restype, libc.getauxval.argtypes = ctypes.c_ulong, [ctypes.c_ulong]
base = libc.getauxval(7)                       # AT_BASE: where the loader lies
with open("/proc/self/maps") as maps:
    lines = [line.split() for line in maps]
loader = next(line[5] for line in lines if line[0].startswith(f"{base:x}-"))
first, last = (int(x, 16) for x in next(line[0] for line in lines if line[5:] == [loader] and line[1] == "rw-p").split("-"))
words = struct.unpack(f"{(last - first) // 8}Q", ctypes.string_at(first, last - first))
free = next(i for i in range(len(words) - 8) if not any(words[i:i + 8]))
lost = str(10 ** 7 + 1234)
ctypes.pythonapi.Py_IncRef(ctypes.py_object(lost))
where = id(lost)
del lost
word = ctypes.c_ulong.from_address(first + 8 * (free + 4))
word.value = where
snap(where)
word.value = 0
""")
    done = run([sys.executable, "app.py", "s.memsure"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    s, where = Snap(tmp_path / "s.memsure"), json.loads(done.stdout)["say"]
    assert s.unexplained.get(s.at[where]) == 1
