"""MEMSURE=1 in the environment: `python app.py` becomes `memsure run app.py`.

memsure-autostart.pth imports this module at the start of an interpreter, but only where MEMSURE is
set. The recorder must be there before the first allocation, so the interpreter starts once more, by
`memsure run`, with the words it was started with. MEMSURE is taken out of the environment on the
way: what the program starts is followed as its children are.
"""

import os
import sys


def begin():
    """Does not return where the program can be started anew."""
    if os.environ["MEMSURE"] in ("", "0"):
        return
    words = getattr(sys, "orig_argv", [])
    if is_memsure(words) or is_recorded():
        del os.environ["MEMSURE"]
        return
    if not words or not is_interpreter():
        say("this program embeds Python: it is not recorded")
        return
    value = os.environ.pop("MEMSURE")
    flags = "-EP" if sys.flags.ignore_environment else "-P"
    command = [sys.executable, flags, "-m", "memsure", "run", "--", name(words[0]), *words[1:]]
    try:
        os.execv(sys.executable, command)
    except OSError as e:
        os.environ["MEMSURE"] = value
        say(f"cannot start the program anew ({(e.strerror or str(e)).lower()}): it is not recorded")


def is_memsure(words):
    """Is it memsure itself that starts?"""
    if sys.argv[:1] == ["-m"]:
        return words[len(words) - len(sys.argv)] in ("memsure", "-mmemsure")
    return os.path.basename(sys.argv[0] if sys.argv else "") == "memsure"


def is_recorded():
    try:
        with open("/proc/self/maps", "rb") as f:
            return b"/memsure_record.so" in f.read()
    except OSError:
        return False


def is_interpreter():
    """Is this process what sys.executable names? Where Python is embedded, that is a guess."""
    try:
        return os.path.samefile("/proc/self/exe", sys.executable)
    except OSError:
        return False


def name(word):
    """The word that Python was called by, if it leads to the same interpreter again."""
    if "/" in word:
        found = os.path.abspath(word)
    else:
        found = None
        for folder in os.get_exec_path():
            found = os.path.join(folder, word)
            if os.access(found, os.X_OK) and not os.path.isdir(found):
                break
    return word if found == sys.executable else sys.executable


def say(sentence):
    try:
        os.write(2, f"memsure: {sentence}\n".encode())
    except OSError:
        pass


begin()
