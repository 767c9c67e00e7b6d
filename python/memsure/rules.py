"""The rules: what each id means, how it is seen, and the repair. `memsure explain` prints them, and
docs/RULES.md is made of them:

    python -m memsure.rules > docs/RULES.md

A rule with `declined` is known and not looked for; the reason is said where the rule is asked for.
"""

PRINCIPLES = {
    1: "cycles and weak references",
    2: "release in time",
    3: "pools and reused buffers",
    4: "find leaks",
    5: "object life cycles",
    6: "needless allocation",
    7: "compact structures",
    8: "the system below Python",
}
_LETTERS = {"C": 1, "R": 2, "P": 3, "L": 4, "Y": 5, "N": 6, "S": 7, "O": 8, "T": 8, "G": 8}


class Rule:
    __slots__ = ("id", "title", "happens", "seen", "wrong", "right", "leave", "declined")

    def __init__(self, id, title, happens, seen, wrong, right, leave, declined=""):
        self.id = id
        self.title = title
        self.happens = happens
        self.seen = seen
        self.wrong = wrong
        self.right = right
        self.leave = leave
        self.declined = declined

    @property
    def principle(self):
        return _LETTERS[self.id[0]]


RULES = {}


def _rule(*words, declined=""):
    r = Rule(*words, declined=declined)
    RULES[r.id] = r


# What is said of every saving of principle 7.
TWO_NUMBERS = (
    "Both are computed on the heap as it was, without running anything: the bytes of the blocks that go, exact, and what the system gets back, "
    "which is whole pages without a live block. A saving that is spread thinly frees none, and says so: the next objects fill the room."
)

# -- 1: cycles and weak references

_rule(
    "C1", "an exception and the frame that it came from hold each other",
    "An exception holds its traceback, the traceback the frame, and the frame holds the exception again, in a "
    "variable or by way of self. All that the frame knows stays until a collection.",
    "A loop with a traceback and a frame in it, in a snapshot; or a line whose objects only collections free, "
    "in a function that keeps a caught exception.",
    "except ValueError as e:\n    self.error = e", "except ValueError as e:\n    self.error = e.with_traceback(None)",
    "the traceback is read later, and the exception is rare.",
)
_rule(
    "C2", "parent and child hold each other",
    "A child that refers to its parent ties both in a loop: neither is freed when the last outside reference goes, "
    "but at some later collection.",
    "A loop of two or more kinds of objects in a snapshot, closed by the reference back; or a line whose objects "
    "only collections free, in a class that keeps what holds it.",
    "self.parent = parent",
    "self._parent = weakref.ref(parent) if parent is not None else None\n\n@property\ndef parent(self):\n    return self._parent and self._parent()",
    "few such objects are made, or they live as long as the program.",
)
_rule(
    "C3", "a bound method kept on its own object",
    "self.callback = self.method stores a method object which holds self: a loop of one object.",
    "An object, its attribute, a bound method and back, in a snapshot or in the source of a line whose objects only "
    "collections free.",
    "self.on_done = self.finish", "@property\ndef on_done(self):\n    return self.finish      # or weakref.WeakMethod(self.finish), called as self.on_done()()",
    "the object lives as long as the program.",
)
_rule(
    "C4", "a frame or function that holds itself",
    "A frame kept in one of its own variables, or a nested function that calls itself by its name in the closure, is "
    "a loop made by each call.",
    "A loop of frame and variable, or of cell and function, in a snapshot; or the source of such a line.",
    "frame = inspect.currentframe()\nlog(frame.f_lineno)",
    "frame = inspect.currentframe()\ntry:\n    log(frame.f_lineno)\nfinally:\n    del frame",
    "the function runs a few times only.",
)
_rule(
    "C5", "a loop that the collector cannot see",
    "A type written in C that holds objects but has no tp_traverse hides them: a loop through it is never freed.",
    "An object whose references are held by nothing that can be walked to, or an array of objects in a loop; dead ones of one form, 200 and more, made all along.",
    "table = np.empty(9, object); table[0] = Node(table)", "table[:] = None      # before it is dropped; or a list",
    "few such objects are made.",
)
_rule(
    "C6", "classes made while the program runs",
    "Every class is a loop (its mro holds it), and is entered in caches and in its base's subclasses. A class made in "
    "a function is some kilobytes for the collector, or for ever.",
    "Classes born after the start-up, by the line that makes them, that hold a tenth of what lives.",
    "def rows(names):\n    Row = namedtuple('Row', names)",
    "@functools.cache\ndef row_type(names):\n    return namedtuple('Row', names)",
    "the number of different classes is small and fixed.",
)
_rule(
    "C7", "a weak dictionary whose values hold their keys",
    "An entry of a WeakKeyDictionary goes when its key dies. A value that reaches the key keeps it alive: the entry "
    "stays for ever.",
    "A path from a value to its own key in a snapshot.",
    "cache = WeakKeyDictionary()\ncache[node] = Layout(node)", "node.layout = Layout(node)      # a loop, but one that a collection frees",
    "the keys live as long as the program anyway.",
)
_rule(
    "C8", "dead until the collector came",
    "Objects that hold each other are freed by the collector only. When many are made, they pile up between its "
    "runs, which come by number of objects and not by bytes.",
    "Bytes freed inside collections, by the line that made them, against the peak, the time it took, and all that was freed.",
    "node.parent = parent", "node._parent = weakref.ref(parent)",
    "the memory between two collections is small, and their time does not matter.",
)
_rule(
    "C9", "a loop that holds a socket, file or device memory",
    "What waits for the collector keeps its resources: descriptors, connections, buffers on a device.",
    "A loop in a snapshot that reaches such an object.",
    "self.conn.on_close = self.closed", "with closing(Client()) as client: ...",
    "the number of such objects is small.",
)

# -- 2: release in time

_rule(
    "R1", "a kept exception holds its frames",
    "An exception kept as the last error, in a log record or in a context variable, holds its traceback, and that "
    "every variable of every frame on the way. So does a frame that was asked for (sys._getframe(), inspect) and kept.",
    "A path to large objects that leads through exception, traceback and frame, or from a container to a frame whose call has returned.",
    "self.last_error = e", "traceback.clear_frames(e.__traceback__)\nself.last_error = e      # or str(e)",
    "the locals are wanted for a post-mortem.",
)
_rule(
    "R2", "a notebook or interactive session keeps results",
    "Out[], _, and sys.last_traceback hold what was shown last, or everything shown.",
    "A path through these names.", "df.describe()", "df.describe();      # or %reset -f out",
    "the result is used again.",
)
_rule(
    "R3", "a worker keeps its last job",
    "The loop variable of a worker thread holds the last argument or result while the worker waits for the next.",
    "A path from a thread's waiting frame to large objects.",
    "while True:\n    job = queue.get()\n    work(job)", "while True:\n    job = queue.get()\n    work(job)\n    del job",
    "jobs come all the time, or are small.",
)
_rule(
    "R4", "a large intermediate result still in a variable",
    "A local variable is held until its function ends, also when it is not read any more; at the peak, both the old "
    "and the new stand in memory.",
    "At the peak: a variable of a running frame, whose last use is above the line that runs.",
    "raw = load()\ntable = parse(raw)\nreport(table)", "raw = load()\ntable = parse(raw)\ndel raw\nreport(table)",
    "it is small against the peak.",
)
_rule(
    "R5", "a session that keeps all it ever loaded",
    "An ORM session keeps changed and new objects, and what they refer to, until it is committed, emptied or closed.",
    "A session object that holds much and grows.",
    "session = Session()\nfor job in jobs:\n    work(session, job)", "for job in jobs:\n    with Session() as session:\n        work(session, job)",
    "the session ends soon.",
)
_rule(
    "R6", "a history kept for debugging",
    "A list of queries, events or breadcrumbs that a library appends to and nobody reads.",
    "A list or deque of a library's object, filled by the library's own code with what that code makes, entries born all along.",
    "client = Mock()\nserve(client)      # mock_calls has each call", "client.reset_mock()      # when a job ends; DEBUG = False, reset_queries(), deque(maxlen=100)",
    "it is bounded, or read in the end.",
)
_rule(
    "R7", "a library's registry still holds it",
    "Figures, handles and loggers are entered in a table of their library when they are made, and stay until closed.",
    "A table that a library's own module leads to, with more and more objects of the library's classes: 200 and above, or 20 "
    "where each is large.",
    "fig = plt.figure()\nfig.savefig(path)", "fig = plt.figure()\nfig.savefig(path)\nplt.close(fig)",
    "their number is fixed.",
)
_rule(
    "R8", "generators that were begun and never finished",
    "A suspended generator holds its frame: every variable, open files, locks.",
    "Many suspended generators of one function, older than the work they were made for.",
    "rows = read(path)\nfirst = next(rows)", "with contextlib.closing(read(path)) as rows:\n    first = next(rows)",
    "they are resumed later.",
)
_rule(
    "R9", "waiting on a future that never ends",
    "Each task that waits on a long-lived future or event leaves a callback in it.",
    "A future with very many callbacks.",
    "shutdown.add_done_callback(task.cancel)\nawait task", "shutdown.add_done_callback(task.cancel)\ntry:\n    await task\nfinally:\n    shutdown.remove_done_callback(task.cancel)",
    "the number of waiters is bounded.",
)
_rule(
    "R10", "what a thread left behind",
    "Values in thread-locals live as long as the thread, and a pool's threads live for ever: what the last job put there "
    "stays. And a Thread object that is kept after it ended keeps all that it carries.",
    "Thread-locals of threads that wait, with values that each job made anew; Thread objects that ran, are not among "
    "those that run, and still hold much.",
    "local.rows = load(job)", "local.rows = load(job)\ntry: ...\nfinally: del local.rows",
    "it is a buffer that the next job uses again, or the thread's result is still to be read.",
)
_rule(
    "R11", "a small view holds a large buffer",
    "A slice of an array, a memoryview or a match keeps all of what it was cut from.",
    "A view that is the only holder of a buffer a hundred times its size; a match that holds sixteen times its own.",
    "head = data[:10]", "head = data[:10].copy()",
    "the buffer is needed elsewhere anyway.",
)
_rule(
    "R12", "a running total keeps every step's graph",
    "Adding a tensor to a total keeps the graph of all its operations.",
    "A chain of grad_fn objects behind one tensor that grows.",
    "total += loss", "total += loss.item()",
    "backward() is called on the total.",
    declined="the links of the graph are C++ objects that no snapshot sees. What they hold is told as native memory that grows (L7).",
)
_rule(
    "R13", "listeners that were never taken off",
    "A list of callbacks that holds bound methods holds their objects.",
    "A list, set or dict that grows, and whose elements are bound methods or functions.",
    "bus.subscribe(self.changed)", "def close(self):\n    bus.unsubscribe(self.changed)      # or the bus keeps weakref.WeakMethod(listener), and calls listener()()",
    "the listeners live as long as the program.",
)

# -- 3: pools

_rule(
    "P1", "few survivors hold many pages",
    "Memory goes back in whole pages. After a peak, a few objects that live on, scattered over it, keep its pages.",
    "Free room on pages on which something lives at the end, by the map of the heap in a snapshot, against RSS; the line that made most of what is left.",
    "entries = parse(rows)\nKEPT = entries[::60]\ndel entries",
    "entries = parse(rows)\ndata = pickle.dumps(entries[::60])      # or make first what lives long, or run the peak in a subprocess\ndel entries\nKEPT = pickle.loads(data)",
    "the holes are filled again soon, or others refer to the same objects: a copy is not the same.",
)
_rule(
    "P2", "a buffer made anew each time",
    "A large buffer that is allocated and freed at each step costs page faults and zeroing; its size is the same "
    "each time.",
    "Blocks of 4 KiB to 64 MiB from one line, a tenth of all bytes, dead within a sixth of a second; the line makes a filled buffer. What that "
    "costs is timed on the machine that reports, in a loop that goes on; silent below 1.3 times. "
    "The patch moves it out of the loop where the next use writes it and nothing keeps it; else, from 32 MiB on, which malloc maps anew each time, it takes it from memsure.buffers.",
    "for part in parts:\n    buf = bytearray(1 << 20)\n    f.readinto(buf)", "buf = bytearray(1 << 20)\nfor part in parts:\n    f.readinto(buf)",
    "the buffer is handed on, or its zeros are needed.",
)
_rule(
    "P3", "objects of one class made and dropped by the million",
    "Each birth and death of an object costs time, most of it for the frame of its constructor; with a __dict__ more.",
    "A tenth of all blocks, and a million, from lines that make objects of one class; nine tenths of them dead within some 10 ms. The "
    "class's source shows that its constructor only stores, so that @memsure.pooled compiles it, or computes with numbers, and that the class means the same with "
    "__slots__. A class of that shape, plain and pooled, is then timed on the machine that reports; silent below 1.3 times, as constructors that compute are "
    "from 3.14 on. Silent too where the constructor calls what only the program has, loops or makes containers, where the class has a __new__, __del__ or "
    "__setattr__, and where its bases, decorators or attributes are not all known.",
    "Point(x, y)      # in the inner loop", "@memsure.pooled\nclass Point:\n    __slots__ = ('x', 'y')",
    "other modules set more attributes on it, or the time is spent elsewhere (docs/POOLS.md).",
)
_rule(
    "P4", "a helper made anew for each call",
    "A parser, client, template or deep copy that is made with the same arguments at each call.",
    "A fifth of all bytes, half of them allocated by a library on behalf of one line: it makes something of constants, or calls what its function made of them.",
    "def handle(text):\n    parser = Parser(OPTIONS)", "PARSER = Parser(OPTIONS)",
    "it holds state that must not be shared.",
)
_rule(
    "P5", "a library's own pool keeps free memory",
    "Arrow has an allocator of its own, which keeps what was freed, in case it is needed again.",
    "A quarter of RSS, and 32 MiB, belongs to neither Python nor malloc, and Arrow's pool says that it is not in use: it is asked ten times a second "
    "where the program has imported pyarrow, for half a second at least, up to the end. Not seen: pools that tell nothing (polars), memory of a GPU (torch.cuda.memory_stats() tells it).",
    "table = pq.read_table(path)\nsummary = digest(table)\ndel table", "del table\npyarrow.default_memory_pool().release_unused()",
    "it is used again soon.",
)

# -- 4: leaks

_rule(
    "L1", "a container that only grows",
    "A dict, list or set that outlives the work is added to all the time and never emptied.",
    "After the warm-up, live bytes of a line rise to the end of the run, with no plateau; in a snapshot, the container "
    "whose elements were born all along, and the line that fills it; where several such containers hold together what none of "
    "them holds alone, the fullest, and another one.",
    "self._by_key[key] = hit", "self._by_key = TTLCache(10_000, ttl=300)      # pip install cachetools",
    "it is the program's result, or its keys are few.",
)
_rule(
    "L2", "lru_cache on a method keeps self",
    "The cache lives on the class, its keys contain self: every instance used stays until newer calls push it out.",
    "A path from an lru_cache wrapper over a key to an instance, in a snapshot: more and more of them, or, where it has a limit, two and more that nothing else holds, a twentieth of all.",
    "@lru_cache\ndef price(self): ...", "@cached_property              # dies with its instance\ndef price(self): ...",
    "instances are few and live as long as the class.",
)
_rule(
    "L3", "a metric with too many labels",
    "Each new combination of label values is a child of the metric, kept for ever.",
    "A dict of children in a metric object, one for each tuple of labels, that grows.",
    "REQUESTS.labels(user=user.id).inc()", "REQUESTS.labels(plan=user.plan).inc()",
    "the label's values are few.",
)
_rule(
    "L4", "a table of texts that only grows",
    "A vocabulary or intern table keeps each text it ever saw.",
    "A dict or set of texts that grows, each text held by it alone.",
    "TEXTS.setdefault(text, text)", "texts = {}      # one for each job: it goes with the job\ntexts.setdefault(text, text)",
    "the vocabulary is closed.",
)
_rule(
    "L5", "a queue without a limit",
    "The producer is faster than the consumer, and nothing stops it.",
    "A deque inside a queue that grows, filled by put().",
    "queue.Queue()", "queue.Queue(maxsize=100)",
    "the producer ends soon.",
)
_rule(
    "L6", "C code forgets to give a reference back",
    "An object that nothing refers to, whose count is not 0, lives for ever.",
    "References that no object of the snapshot explains, more and more, on objects of one type born in one line.",
    "return value;      /* and value was counted up */", "Py_DECREF(value); on every path",
    "it is a cache of the extension, and bounded.",
)
_rule(
    "L7", "memory outside of Python grows",
    "malloc's live memory rises and Python's does not: C code keeps memory that is no Python object.",
    "The slope of malloc's live bytes, or of RSS that is in no row, or of what is free in malloc and not used again, beside that of Python's. Below a second, that of RSS: malloc must keep most of it to the end, no object of a snapshot own it, and thousands of objects have come and gone meanwhile. A snapshot tells which extension modules it may be. What "
    "malloc gives out is not recorded by line: the line told is the one that calls into that module, or, where none is known, the one that allocates most meanwhile.",
    "parser.parse(text)      # of a library with a leak in C", "upgrade it; or a worker that is renewed: Pool(maxtasksperchild=1000)",
    "it levels off later: pools of libraries do.",
)
_rule(
    "L8", "what grows by the clock, not by the work",
    "An agent in the program, a metrics client, a profiler, a thread of its own, collects all the time and does not send or forget.",
    "A container that grows, whose lines grew as fast while all the others hardly allocated as while they worked.",
    "samples.append(read())      # each second, for ever", "samples = deque(maxlen=3600)",
    "it is bounded later than this run was long.",
)
_rule(
    "L9", "recycling hides a leak",
    "Workers are ended before their growth is seen; the memory is paid for all the same, at its highest by all of them at once.",
    "Four processes and more of one parent, each begun where another ended, each with more at its end than near its start, "
    "in a program that asks for it: maxtasksperchild, max_requests.",
    "Pool(4, maxtasksperchild=100)", "find the line in the recording of one life: memsure run with maxtasksperchild=None",
    "the leak is a library's, and known.",
)

# -- 5: life cycles

_rule(
    "Y1", "the collector walks a heap that does not die",
    "A full collection looks at every container object. When all of them live on, that is time for nothing.",
    "Full collections take a tenth of the run, 0.3 s at least, and free less than 1 % of what they walk. Where one line asks for most of "
    "them (gc.collect()), it is the one that is named, and 0.15 s are enough.",
    "MODEL = load()", "MODEL = load()\ngc.collect()\ngc.freeze()",
    "the program is short.",
)
_rule(
    "Y2", "garbage that no collection comes for",
    "Dead objects in circles are freed by collections only. With gc.disable() none runs. gc.freeze() and gc.unfreeze() around "
    "each fork set the counters back, so that the full collection, which alone looks at what is old, never comes.",
    "Dead circles in a snapshot, born over the whole run, and no full collection since the warm-up.",
    "gc.disable()\nserve()", "gc.collect(); gc.freeze()      # once, when all is loaded\nserve()",
    "the process ends soon.",
)
_rule(
    "Y3", "every worker imports for itself",
    "Workers that are started, not forked, import everything again, and share none of it.",
    "Imports of three or more processes, 64 MiB and a quarter of what lives together.",
    "Pool(8)      # spawn", "import first, gc.freeze(), then fork",
    "the processes are few, or run on different machines.",
)
_rule(
    "Y4", "objects die just after the young collections",
    "Objects that live a little longer than a young generation are carried on by each collection, and then die by "
    "themselves: the collector's work was for nothing.",
    "Young collections take 10 % of the run and free less than 1 %, and a line's blocks die by themselves at a mean age of one to 150 of them.",
    "rows = [[i] for i in range(100_000)]      # of each request; 50 to 140 young collections walk them\ngc.get_threshold()      # (700, 10, 10) or (2000, 10, 0)",
    "gc.set_threshold(50_000, 20, 20)",
    "memory is scarce.",
)
_rule(
    "Y5", "a finalizer in a loop",
    "An object with __del__ in a loop is freed in two collections, in no order, and may come back to life.",
    "Objects with __del__ in a loop of a snapshot.",
    "def __del__(self):\n    self.close()", "self._closer = weakref.finalize(self, close, self.handle)",
    "the objects are few.",
)

# -- 6: needless allocation

_rule(
    "N1", "a file or answer read whole",
    "All of a file, query or answer is in memory, though it is gone through once.",
    "A line that makes a quarter of the peak, gone before the end, whose value is read once.",
    "for line in f.readlines():", "for line in f:",
    "it is small, or read again.",
)
_rule(
    "N2", "a list made to be read once",
    "A list is built whole, and then its elements are taken one at a time.",
    "A fifth of the peak, or a tenth of all bytes, from a list that sum(), any(), a loop or the like takes.",
    "total = sum([cost(x) for x in xs])", "total = sum(cost(x) for x in xs)",
    "the list is short: a generator is slower then. ''.join() makes a list in any case.",
)
_rule(
    "N3", "a value built piece by piece",
    "x = x + y copies all of x each time: for n pieces, n squared bytes.",
    "Temporaries that are larger than what is added, 20 times what the line ever holds, under a += in a loop, or a call that copies for it: np.append(), pd.concat().",
    'out = ""\nfor k in keys:\n    out = out + render(k)', 'out = "".join(render(k) for k in keys)',
    "the pieces are few.",
)
_rule(
    "N4", "temporaries of an array expression",
    "Each operation of a * b + c makes an array of full size.",
    "Temporaries of 4 KiB and more, a tenth of all bytes, from a line with several operations.",
    "y = a * x + b", "y = a * x\ny += b",
    "the arrays fit into the cache.",
)
_rule(
    "N5", "columns turned into Python objects",
    "tolist(), iterrows() and the like make an object for each value: 24 to 60 bytes for 8.",
    "Very many small blocks under one such call.",
    "for row in df.iterrows():", "df['a'] * df['b']",
    "the table is small.",
)
_rule(
    "N6", "an iterator that is buffered as a whole",
    "tee() keeps what one of its iterators has read and the other has not: if one is read to its end first, that is all of it.",
    "A long chain of tee's buffers in a snapshot.",
    "a, b = tee(rows)\nx = list(a)\ny = list(b)", "rows = list(rows)",
    "both are read in step.",
)
_rule(
    "N7", "data copied to each worker by pickle",
    "What is passed to a worker process is pickled and unpickled: each worker has a copy, and with every task that carries it a new one.",
    "A line that unpickles holds much at the peak of two workers and more, and unpickled twice as much as the first process ever made; or four times as much and 64 MiB, however little at once.",
    "pool.map(f, [(big, i) for i in range(100)])", "Pool(initializer=load)      # or shared memory",
    "the data is small.",
)
_rule(
    "N8", "allocated, and not kept",
    "Far more is allocated than is ever kept, and one line makes a good part of it.",
    "50 times the peak and 256 MiB for each second of CPU time, a fifth of it from one line, in blocks of a KiB and more; not an array expression that makes one array.",
    "for part in parts:\n    table = [0] * 65_536\n    count(part, table)",
    "table = [0] * 65_536\nfor part in parts:\n    count(part, table)      # which sets it to 0 again; what does not change is made before the loop",
    "the work needs it.",
)

# -- 7: compact structures

_rule(
    "S1", "many objects with a dict each",
    "Attributes in a __dict__ take more room than in slots.",
    "Very many instances of one class with a dict, and what slots would save, computed on them.",
    "@dataclass\nclass Point: ...", "@dataclass(slots=True)\nclass Point: ...",
    "attributes are added at run time.",
)
_rule(
    "S2", "a dict or set that was emptied keeps its table",
    "Deleting entries does not shrink a dict or set.", "Entries used against the room there is.",
    "for k in list(d): d.pop(k)", "d = dict(d)      # or d.clear()",
    "it fills again.",
)
_rule(
    "S3", "the same text many times",
    "Texts read from files or sockets are new objects each time, however equal.",
    "Equal texts compared in a snapshot, and what one of each would save.",
    "row['country']", "sys.intern(row['country'])",
    "they die soon. On 3.12 an interned text lives as long as the program.",
)
_rule(
    "S4", "a column of objects with few different values",
    "An object column has a pointer for each row, and often a text for each row.",
    "An array of objects with few different elements.",
    "df['country']", "df['country'].astype('category')",
    "the values are unique.",
)
_rule(
    "S5", "a list of numbers, or of records with the same keys",
    "A list of ints has a pointer and an object for each; a list of dicts repeats its keys' table.",
    "Large lists whose elements are all int, all float, or dicts with the same number of names, up to 64.",
    "xs = [float(x) for x in text.split()]", "xs = array('d', map(float, text.split()))",
    "rows are looked at one by one: that is ten times slower in columns.",
)
_rule(
    "S6", "room that was reserved and not used",
    "A list or bytearray that was appended to has an eighth of room to spare, a short one more; one that was half emptied keeps the rest.",
    "Room against entries, summed over all that were made in one line.",
    "out.append(x)", "out = tuple(out)      # when it is done",
    "it grows on.",
)
_rule(
    "S7", "wide records of defaults",
    "Dicts whose values are nearly all the same default.", "The share of entries that hold the same object.",
    "{**DEFAULTS, **given}", "ChainMap(given, DEFAULTS)",
    "they are few.",
)

# -- 8: the system below

_rule(
    "O1", "malloc has a heap for each thread",
    "malloc makes up to eight heaps for each core; each keeps what its threads freed.",
    "Much free in malloc at the end of a program with many threads.",
    "ThreadPoolExecutor(64)", "MALLOC_ARENA_MAX=2 python app.py",
    "it is used again soon.",
)
_rule(
    "O2", "large blocks moved into malloc's heap",
    "malloc maps large blocks, and gives them back at once, until the first is freed: then blocks of that size, up to "
    "32 MiB, come from its heap and stay there.",
    "Much free in malloc, after large blocks from one line.",
    "data = zlib.decompress(raw)", "MALLOC_MMAP_THRESHOLD_=131072 python app.py      # or reuse the buffer",
    "they come again soon.",
)
_rule(
    "O3", "freed, but not given back",
    "malloc gives memory back from the end of its heap only; a live block there keeps all below it.",
    "Free memory in malloc at the end of the run and before, against RSS.",
    "for batch in batches:\n    handle(batch)      # and then waits for the next one",
    "for batch in batches:\n    handle(batch)\n    ctypes.CDLL(None).malloc_trim(0)",
    "it is used again soon.",
)
_rule(
    "O4", "collections write to pages shared after fork",
    "A forked process shares its parent's pages until one of the two writes to them. A full collection writes to the header of "
    "each object: so each process gets a copy of all that was loaded before the fork.",
    "Pages of Python's heap that forked processes wrote to, less what they made themselves, where full collections ran.",
    "MODEL = load()\nos.fork()", "MODEL = load()\ngc.collect(); gc.freeze()\nos.fork()",
    "the processes are few, or end soon.",
)
_rule(
    "O5", "reading writes reference counts to shared pages",
    "To look at an object is to count a reference to it, in the object: a forked process that only reads what it inherited "
    "copies the pages of all that it looks at.",
    "Pages of Python's heap that forked processes wrote to, less what they made themselves, where no full collection ran.",
    "ROWS = [(day, price), ...]", "PRICES = array('d', ...)      # one object; numpy, Arrow, bytes",
    "the processes are few, or read little of it.",
)
_rule(
    "O6", "huge pages inflate RSS",
    "A huge page is 2 MiB, resident as a whole when one byte of it is written: a large array of which little is used takes "
    "its full size. numpy asks for huge pages from 4 MiB on.",
    "Small parts of huge pages, sampled in the memory of the running program: three quarters of them hold nothing but zeros.",
    "counts = np.zeros(200_000_000)", "NUMPY_MADVISE_HUGEPAGE=0 python app.py      # or a sparse matrix, a dict",
    "the zeros are data, or will be filled.",
)
_rule(
    "O7", "shared memory left behind",
    "A segment of shared memory is a file in memory, and lives until somebody unlinks it: after the program, too.",
    "A file in /dev/shm that the program had mapped, that was made after its start, is there after its end, and no process of "
    "the session has mapped.",
    "block = SharedMemory(create=True, size=n)", "try: ...\nfinally:\n    block.close()\n    block.unlink()      # once, by who made it",
    "another program is to find it there.",
)
for _id, _title, _happens, _right, _why in (
    (
        "O8", "page cache counted against the limit", "What a container reads and writes stays in the kernel's cache, and counts for its limit.",
        "rotate what is written; os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED) after reading it once",
        "it belongs to the group, not to a process, and the kernel gives it up before it refuses memory: no line of a program is at fault.",
    ),
    (
        "O9", "swap hides growth", "What is swapped out is no longer in RSS: a program may grow while its RSS does not.", "",
        "nothing to look for: growth is judged by what is allocated, not by RSS, so what is swapped out counts like the rest.",
    ),
    (
        "T1", "two allocators in a free-threaded build", "Python without the GIL has an allocator of its own for objects, beside malloc; each keeps what it freed.", "",
        "free-threaded builds are not supported yet.",
    ),
    (
        "T2", "blocks freed by another thread", "Allocators with a heap for each thread take back what another thread frees only later, or never.", "",
        "all threads take Python's blocks from one heap under one lock, so it makes no difference which of them frees; what malloc keeps for threads is told as O1.",
    ),
    (
        "G1", "the device's allocator is fragmented", "The library that uses a device takes its memory in large pieces; what is free in them may be too small for the next tensor.",
        "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True python app.py",
        "a device's memory is its library's, and is not recorded: the library's own statistics tell it.",
    ),
    (
        "G2", "tensors held by an exception or loop", "A tensor in a frame that an exception holds, or in a circle, keeps its memory on the device until a collection.",
        "except RuntimeError as e:\n    message = str(e)      # not e; then torch.cuda.empty_cache()",
        "how large a tensor is on its device is not recorded; what holds it is told as R1, C1 or C2, with its size on the host.",
    ),
    (
        "G3", "a dead process still owns device memory", "A worker that was left behind keeps its memory on the device.",
        "nvidia-smi      # and end the processes in its list that nobody waits for",
        "it takes the driver's list of processes, after the end of all that is recorded.",
    ),
):  # fmt: skip
    _rule(_id, _title, _happens, "", "", _right, "", declined=_why)


def find(word):
    """The rule of an id, however written, or None."""
    return RULES.get(word.upper())


def explain(rule, paper):
    """One rule on one screen."""
    from .text import cells

    head = paper.between(f"{rule.id} · {rule.title}", f"principle {rule.principle}: {PRINCIPLES[rule.principle]}")
    out = [*head, ""]

    def part(name, words):
        if words:
            out.extend(paper.wrap(paper.fix(words), first=f"{name:<15}"))

    def code(name, words):
        for n, line in enumerate(words.split("\n") if words else ()):
            head, line = f"{name if n == 0 else '':<15}", paper.sign(line)
            source, remark = line.partition("      # ")[::2]
            if remark and 15 + cells(line) > paper.width:  # the remark goes below
                out.append(head + source)
                at = " " * (15 + len(source) - len(source.lstrip()))
                out.extend(paper.wrap(remark, first=f"{at}# ", rest=f"{at}# "))
            else:
                out.append(head + line)

    part("What happens", rule.happens)
    if rule.declined:
        part("Not looked for", rule.declined)
    else:
        part("How it is seen", rule.seen)
    if rule.principle == 7:
        part("What it saves", TWO_NUMBERS)
    code("Wrong", rule.wrong)
    code("Right", rule.right)
    part("Leave it when", rule.leave)
    if not rule.declined:
        out.append(f"{'Silence it':<15}# memsure: ignore[{rule.id}]         or  --ignore {rule.id}")
    return paper.finish(out)


def document():
    """docs/RULES.md."""
    out = [
        "# The rules",
        "",
        "Made from `python/memsure/rules.py` by `python -m memsure.rules > docs/RULES.md`. Each rule is one known way in which a program's",
        "memory goes wrong. A finding carries its rule's id; `memsure explain ID` prints what stands here. Thresholds stand, with their",
        "reasons, in `src/checks/`.",
        "",
    ]
    for number, name in PRINCIPLES.items():
        out += [f"## {number}. {name[0].upper()}{name[1:]}", ""]
        if number == 7:
            out += [f"*What is saved*: {TWO_NUMBERS[0].lower()}{TWO_NUMBERS[1:]}", ""]
        for r in RULES.values():
            if r.principle != number:
                continue
            out += [f"### {r.id}: {r.title}", ""]
            if r.happens:
                out += [r.happens, ""]
            if r.declined:
                out += [f"*Not looked for*: {r.declined}", ""]
            elif r.seen:
                out += [f"*How it is seen*: {r.seen}", ""]
            for label, text in (("wrong", r.wrong), ("right", r.right)):
                if text:
                    out += ["```python", *([f"# {label}"] + text.split("\n")), "```", ""]
            if r.leave:
                out += [f"*Leave it when* {r.leave}", ""]
    return "\n".join(out).rstrip() + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(document())
