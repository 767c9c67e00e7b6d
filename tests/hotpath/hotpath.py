"""What runs at every allocation and free, counted in the compiled recorder.

    hotpath.py MEMSURE_RECORD.so PYTHON_MINOR            compare with table.txt
    hotpath.py MEMSURE_RECORD.so PYTHON_MINOR --write    put this machine's rows into table.txt
    hotpath.py MEMSURE_RECORD.so PYTHON_MINOR --show     the straight path of each function

A function's straight path is what runs when no conditional jump is taken: the compiler puts the likely
way there, and moves what is marked unlikely or cold out of the function's body. Where that ends in a slow
function after all (aarch64), the last conditional jump before it is taken. Of the body are kept: all
instructions; those of the straight path; and its stores. Calls, divisions and locked instructions must
not be in the body at all, nor a jump that leaves it for anything but a cold part or a named slow function.

Compilers differ by a few instructions, so each count may exceed its row by SLACK; a row that could be
lower is told, not failed. Without a row for this machine and Python only the laws are tested.
"""

import platform
import re
import subprocess
import sys
from pathlib import Path

FUNCTIONS = ["line_obj_malloc", "line_obj_free", "alloc_obj_malloc", "alloc_obj_free"]
SLOW = {"ms_slab_event", "take_slow", "take_far", "take_wide", "take_sampled", "take_path", "release_odd", "release_other", "release_old", "ms_sample"}  # where a tail jump may go
SLACK = 6
TABLE = Path(__file__).with_name("table.txt")
HEAD = """\
# What each hot function of memsure_record.so is made of; written by hotpath.py --write, explained there.
# machine python function           body  straight  stores
"""

X86 = {
    "call": r"call", "div": r"i?div|div[sp][sd]|v?sqrt", "lock": r"lock$|xchg.*\(|mfence",
    "jump": r"jmp", "branch": r"j[a-z]+$", "ret": r"ret|repz ret", "pad": r"nop|data16|cs nop|xchg\s+%ax,%ax|int3|endbr64",
}
ARM = {
    "call": r"blr?$", "div": r"[su]div|fdiv|fsqrt", "lock": r"ldx|stx|lda?x|stlx|cas|swp|ldadd|stadd|ldset|ldclr|dmb|dsb",
    "jump": r"br?$", "branch": r"b\.|cbn?z|tbn?z", "ret": r"ret", "pad": r"nop|bti|pac",
}


class Line:
    def __init__(self, address, text):
        text = text.split("//")[0].strip()                        # aarch64's comments; "#" is x86's
        self.address, self.text = address, text if ARCH is ARM else text.split("#")[0].strip()
        self.name = self.text.split()[0]
        target = re.search(r"([0-9a-f]+) <([^>+]+)(?:\+0x[0-9a-f]+)?>$", text)
        self.to, self.to_name = (int(target[1], 16), target[2].split("@")[0]) if target else (None, None)

    def stores(self):
        if ARCH is ARM:
            return self.name.startswith("st")
        if re.match(r"cmp|test|lea|nop|j|call|prefetch|bt$|push|ret", self.name):
            return self.name.startswith("push")
        operands = self.text.split(None, 1)[1] if " " in self.text else ""
        return bool(re.search(r"\)$|%[fg]s:[^,]*$", operands))


def is_a(line, kind):
    if kind in ("lock", "pad"):
        return re.match(ARCH[kind], line.text if kind == "pad" or line.name != "lock" else "lock") is not None
    if kind == "jump":
        return re.match(r"(?:%s)" % ARCH[kind], line.name) is not None
    if kind == "branch":
        return re.match(ARCH[kind], line.name) is not None and not is_a(line, "jump")
    return re.match(ARCH[kind], line.name) is not None


def bodies(library):
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", library], check=True, capture_output=True, text=True).stdout
    found, current = {}, None
    for row in text.splitlines():
        head = re.match(r"[0-9a-f]+ <(.+)>:$", row)
        if head:
            current = found.setdefault(head[1], []) if head[1] in FUNCTIONS else None
        elif current is not None and (code := re.match(r"\s*([0-9a-f]+):\s+(\S.*)$", row)):
            current.append(Line(int(code[1], 16), code[2]))
    return {name: [line for line in lines if not is_a(line, "pad")] for name, lines in found.items()}


def straight(body):
    at, path, seen = {line.address: i for i, line in enumerate(body)}, [], set()
    i = 0
    while i < len(body) and i not in seen:
        seen.add(i)
        path.append(body[i])
        if is_a(body[i], "ret"):
            break
        if is_a(body[i], "jump"):
            if body[i].to not in at:
                while path and not (is_a(path[-1], "branch") and path[-1].to in at):
                    path.pop()
                if not path:
                    break
                i = at[path[-1].to]
                continue
            i = at[body[i].to]
        else:
            i += 1
    return path


def broken_laws(name, body):
    for line in body:
        for kind, said in (("call", "a call"), ("div", "a division"), ("lock", "a locked instruction")):
            if is_a(line, kind):
                yield f"{name}: {said} on the hot path: {line.text}"
        leaves = line.to is not None and line.to_name != name and not is_a(line, "call")
        if (is_a(line, "jump") or is_a(line, "branch")) and leaves and not (
                re.search(r"\.cold(\.\d+)?$", line.to_name) or line.to_name.split(".")[0] in SLOW):
            yield f"{name}: it goes on in {line.to_name}, which is none of the slow functions that hotpath.py names"
        through_table = ARCH is ARM and re.match(r"br\s+x1[67]$", line.text)   # a function of the library's, by its table
        if is_a(line, "jump") and line.to is None and not through_table:
            yield f"{name}: an indirect jump: {line.text}"
    if not any(is_a(line, "ret") for line in straight(body)):
        yield f"{name}: its straight path does not come to a return"


def table_rows():
    rows = {}
    for row in TABLE.read_text().splitlines() if TABLE.exists() else ():
        if row.strip() and not row.startswith("#"):
            machine, python, name, *counts = row.split()
            rows[machine, python, name] = [int(n) for n in counts]
    return rows


def main(library, python, option=None):
    found, problems, rows = bodies(library), [], table_rows()
    for name in FUNCTIONS:
        if not found.get(name):
            problems.append(f"{name}: not in {library} (stripped, or renamed?)")
            continue
        path = straight(found[name])
        if option == "--show":
            print(f"{name}:", *(f"    {'S' if line.stores() else ' '} {line.text}" for line in path), "", sep="\n")
        problems += broken_laws(name, found[name])
        key, counts = (platform.machine(), python, name), [len(found[name]), len(path), sum(line.stores() for line in path)]
        print("%-9s %-6s %-18s body %3d, straight %3d, stores %2d" % (*key, *counts))
        if option == "--write":
            rows[key] = counts
        elif key in rows:
            for what, n, kept, slack in zip(("instructions", "instructions on the straight path", "stores"), counts, rows[key], (SLACK, SLACK, 1)):
                if n > kept + slack:
                    problems.append(f"{name}: {n} {what}, {kept} in table.txt (+{slack} allowed)")
                elif n < kept - slack:
                    print(f"    {n} {what}, {kept} in table.txt: renew it with --write")
        else:
            print("    no row in table.txt: only the laws are tested")
    if option == "--write":
        TABLE.write_text(HEAD + "".join("%-9s %-6s %-18s %5d %9d %7d\n" % (*key, *rows[key]) for key in sorted(rows)))
    for problem in problems:
        print("FAILED", problem)
    return 1 if problems else 0


ARCH = ARM if platform.machine() in ("aarch64", "arm64") else X86

if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if platform.machine() not in ("x86_64", "aarch64", "arm64"):
        print("this machine's instructions are not known here")
        sys.exit(77)
    try:
        sys.exit(main(*sys.argv[1:4]))
    except FileNotFoundError:
        print("objdump is not installed")
        sys.exit(77)
