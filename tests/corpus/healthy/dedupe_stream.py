"""Lines of a log are copied, those that came before are left out: the program ends with the log."""
import hashlib
import io
import random

rng = random.Random(8)
out, seen = io.StringIO(), set()
for n in range(250_000):
    line = f"GET /page/{rng.randrange(200_000)} 200\n"
    digest = hashlib.blake2b(line.encode(), digest_size=16).digest()
    if digest not in seen:
        seen.add(digest)
        out.write(line)
print(out.tell() > 0)
