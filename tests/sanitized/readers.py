"""Files whose sums hold and whose numbers do not, asked every question: an answer or one sentence, and no sanitizer says a word.

    readers.py COUNT FOLDER FILE...

Of each file COUNT variants are made: in one to six columns some values become zero, huge, a neighbour's or anything, or the column is
shorter, or gone. Run by snapshots.py under AddressSanitizer and UBSan; by hand in any interpreter that has memsure. Prints "as ever"."""

import contextlib
import io
import os
import random
import sys
import traceback
from array import array

from memsure import _core, cli

CODES = {"u8": "B", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f64": "d"}
WIDE = {"B": 8, "H": 16, "i": 31, "I": 32, "q": 63, "Q": 64}


def tables_of(path):
    f = _core.open(path)
    return {table: {c: (kind, width, array(CODES[kind], f.column(table, c).cast("B").tobytes())) for c, (kind, rows, width) in columns.items()}
            for table, columns in f.tables.items()}


def odd(rng, code, values):
    if code == "d":
        return rng.choice([0.0, -1.0, float("nan"), float("inf"), 1e300])
    most = (1 << WIDE[code]) - 1
    return rng.choice([0, 1, most, most - 1, most >> 1, rng.randint(0, most), values[rng.randrange(len(values))],
                       min(most, max(values) + 1), min(most, len(values)), 0x3FFFFFFF & most])


def change(tables, rng):
    columns = [(t, c) for t in tables for c in tables[t] if t not in ("strings", "exit_strings") or c == "offsets"]
    for table, column in rng.sample(columns, rng.randint(1, 6)):
        kind, width, values = tables[table][column]
        values = values[:]
        how = rng.randrange(12)
        if how == 0:
            del tables[table][column]
            if not tables[table]:
                del tables[table]
            continue
        if how == 1 and len(values) > width:
            del values[len(values) // width // 2 * width:]
        for _ in range(rng.choice([1, 2, 50])):
            if values:
                values[rng.randrange(len(values))] = odd(rng, values.typecode, values)
        tables[table][column] = (kind, width, values)


def questions(path, folder):
    whys = ["Product", "shop/cache.py:25", "shop.CATALOG", "0x7f0000000100", "list", "L1"]
    bys = "holder type line module variable cycle growing spare equal unexplained raw".split()
    yield ["snapshot", path]
    yield ["snapshot", path, "--json"]
    for by in bys:
        yield ["snapshot", path, "--by", by]
    for why in whys:
        yield ["why", path, why]
    yield ["diff", path, path, "--json"]
    yield ["export", path, "--to", "heapsnapshot", "-o", os.path.join(folder, "x.heapsnapshot"), "--force"]
    yield ["report", path, "--json"]
    yield ["check", path]


def ask(words):
    """None, or what was wrong with how it ended."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(words)
        except SystemExit as e:
            status = e.code
        except BaseException:
            traceback.print_exc()
            status = -1
    said = err.getvalue()
    if status in (0, 1, 2, 3) and "Traceback" not in said and "failed (not" not in said:
        return None
    return f"{' '.join(words)}: status {status}\n{said[-3000:]}"


def main(count, folder, *files):
    os.environ["MEMSURE_TRACEBACK"] = "1"
    for path in files:
        tables = tables_of(path)
        for seed in range(int(count)):
            rng = random.Random(f"{os.path.basename(path)} {seed}")
            broken = {t: dict(columns) for t, columns in tables.items()}
            change(broken, rng)
            damaged = os.path.join(folder, "damaged.memsure")
            _core.write(damaged, broken)
            asked = list(questions(damaged, folder))
            for words in asked if int(count) > 100 else rng.sample(asked, 6):
                if wrong := ask(words):
                    kept = os.path.join(folder, f"damaged-{seed}.memsure")
                    os.rename(damaged, kept)
                    print(f"seed {seed}, kept as {kept}: {wrong}")
                    return 1
    print("as ever")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
