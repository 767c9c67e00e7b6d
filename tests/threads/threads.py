"""The recorder under ThreadSanitizer: all kinds of threads at once, in a Python that knows nothing of it.

    threads.py MEMSURE_PRELOAD.so MEMSURE_RECORD.so     built with -Db_sanitize=thread, for this interpreter

The slabs and tables have no threads of their own; who may touch them is decided in recorder.c, so that is what must be
looked at: threads that allocate without the GIL, with it, in interpreters with a GIL of their own.
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


def other_interpreter():
    source = "x = [[i] for i in range(3000)]; import json; json.loads('[1, 2, {}]')"
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    other = interpreters.create()
    getattr(interpreters, "exec", interpreters.run_string)(other, source)
    interpreters.destroy(other)


def work():
    import threading
    threads = [threading.Thread(target=kind) for kind in (without_gil, with_gil, other_interpreter) * 3]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print("done")


def main(preload, record):
    linked = subprocess.run(["ldd", record], capture_output=True, text=True, check=True).stdout
    library = re.search(r"libtsan\S* => (\S+)", linked)
    if library is None:
        sys.exit(f"{record} is not built with -Db_sanitize=thread")
    failed = False
    for mode in "line", "exact":
        env = {**os.environ, "LD_PRELOAD": f"{library[1]}:{Path(preload).resolve()}", "MEMSURE_LIVE": "", "MEMSURE_MODE": mode,
               "TSAN_OPTIONS": f"suppressions={Path(__file__).with_name('races.txt')}"}
        done = subprocess.run([sys.executable, __file__], env=env, capture_output=True, text=True, timeout=120)
        print(f"--- {mode}: {done.returncode}", done.stdout, done.stderr, sep="\n")
        failed |= done.returncode != 0 or done.stdout != "done\n" or "WARNING" in done.stderr
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:]) if sys.argv[1:] else work()
