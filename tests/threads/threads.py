"""The recorder under ThreadSanitizer: all kinds of threads at once, in a Python that knows nothing of it. And pools, without it.

    threads.py MEMSURE_PRELOAD.so MEMSURE_RECORD.so _POOL.so    built with -Db_sanitize=thread, for this interpreter

The slabs and tables have no threads of their own; who may touch them is decided in recorder.c, so that is what must be
looked at: threads that allocate without the GIL, with it, in interpreters with a GIL of their own. Pools belong to an interpreter, and
rely on its GIL; what interpreters have in common is the setter of object.__class__.
Python's locks are seen as the library calls they make. What is raced for on purpose stands in races.txt.
"""

import os
import re
import subprocess
import sys
from pathlib import Path


def without_gil():
    import ctypes
    raw = ctypes.CDLL(None)                                  # releases the GIL around each call
    raw.PyMem_RawMalloc.restype = raw.PyMem_RawRealloc.restype = ctypes.c_void_p
    held = []
    for i in range(400):
        block = raw.PyMem_RawMalloc(ctypes.c_size_t(10 + i * 40))
        held.append(raw.PyMem_RawRealloc(ctypes.c_void_p(block), ctypes.c_size_t(5 + i * 50)))
        if i % 3 == 0:
            raw.PyMem_RawFree(ctypes.c_void_p(held.pop(0)))
    for block in held:
        raw.PyMem_RawFree(ctypes.c_void_p(block))


def with_gil():
    import gc
    for i in range(300):
        circle = [[k] for k in range(50)]
        circle[0].append(circle)
        bytearray(100_000)
        if i % 50 == 0:
            gc.collect(1)


def other_interpreter(source="x = [[i] for i in range(3000)]; import json; json.loads('[1, 2, {}]')"):
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    other = interpreters.create()
    failed = getattr(interpreters, "exec", interpreters.run_string)(other, source)
    interpreters.destroy(other)
    if failed:
        sys.exit(f"in another interpreter: {failed}")


POOLED = """
import gc, importlib.util, sys
sys.path.insert(0, {package!r})
import memsure
spec = importlib.util.spec_from_file_location("memsure._pool", {pool!r})
memsure._pool = sys.modules["memsure._pool"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(memsure._pool)

def classes(shared={{}}):
    if not shared:
        @memsure.pooled
        class Node:
            __slots__ = "value", "next"
            def __init__(self, value, next=None):
                self.value = value
                self.next = next
        @memsure.pooled
        class Other(Node):
            __slots__ = ()
        shared.update(Node=Node, Other=Other)
    return shared["Node"], shared["Other"]

def churn():
    Node, Other = classes()
    for i in range(12):
        chain = None
        for k in range(300):
            chain = Node([k] if k % 3 else k, chain)
        if i % 4 == 0:
            chain.next.__class__ = Other
            chain.value = [chain]
            gc.collect(i % 3)
    assert memsure._pool.check() is None
"""


def run(kinds):
    import threading
    wrong = []
    threading.excepthook = wrong.append
    threads = [threading.Thread(target=kind) for kind in kinds * 3]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(wrong or "done")


def work():
    run((without_gil, with_gil, other_interpreter))


def pools(pool):
    source = POOLED.format(package=str(Path(__file__).resolve().parents[2] / "python"), pool=pool)
    space = {}
    exec(source, space)
    space["classes"]()
    run((space["churn"], space["churn"], lambda: other_interpreter(source + "churn()")))


def main(preload, record, pool):
    linked = subprocess.run(["ldd", record], capture_output=True, text=True, check=True).stdout
    library = re.search(r"libtsan\S* => (\S+)", linked)
    if library is None:
        sys.exit(f"{record} is not built with -Db_sanitize=thread")
    failed = False
    for mode in "line", "exact", "pools":
        recorder = [] if mode == "pools" else [str(Path(preload).resolve())]
        env = {**os.environ, "LD_PRELOAD": ":".join([library[1], *recorder]), "MEMSURE_LIVE": "", "MEMSURE_MODE": mode,
               "TSAN_OPTIONS": f"suppressions={Path(__file__).with_name('races.txt')}"}
        command = [sys.executable, __file__] + ([str(Path(pool).resolve())] if mode == "pools" else [])
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        print(f"--- {mode}: {done.returncode}", done.stdout, done.stderr, sep="\n")
        failed |= done.returncode != 0 or done.stdout != "done\n" or "WARNING" in done.stderr
    sys.exit(failed)


if __name__ == "__main__":
    {0: work, 1: pools, 3: main}[len(sys.argv) - 1](*sys.argv[1:])
