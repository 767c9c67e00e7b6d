"""Sequences are written, read, translated and aligned."""

import io
import random

from Bio import Align, SeqIO
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

random.seed(1)
recs = [SeqRecord(Seq("".join(random.choices("ACGT", k=900))), id=f"s{i}", description="x") for i in range(1500)]
b = io.StringIO()
SeqIO.write(recs, b, "fasta")
b.seek(0)
al = Align.PairwiseAligner()
al.mode = "local"
n = 0
for i, r in enumerate(SeqIO.parse(b, "fasta")):
    n += r.seq.translate().count("*")
    if i % 50 == 0:
        n += int(al.score(r.seq, recs[0].seq))
print(n)
