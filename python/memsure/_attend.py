"""The monitor of a program that began to record itself: python -m memsure._attend FILE MODE BYTES.

Started by memsure.start(). It leaves the program's family at once, so that the program waits for no
child of ours, and looks on as `memsure run` does. What it 'runs' is a shell that names the folder of
live files on its output and then reads its input: a pipe that ends when the program stops or dies.
"""

import os
import sys

NAME_THE_FOLDER_AND_WAIT = 'echo "$MEMSURE_LIVE"; exec cat >/dev/null'


def main(session, mode, sample_bytes):
    if os.fork():
        os._exit(0)
    from memsure import _core
    try:
        result = _core.run(["/bin/sh", "-c", NAME_THE_FOLDER_AND_WAIT], session, mode,
                           {"sample_bytes": int(sample_bytes), "preload": ""})   # which would hide the folder
        print(result["problem"] or "", flush=True)
    except (_core.Error, OSError) as e:
        print(f"!{e}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
