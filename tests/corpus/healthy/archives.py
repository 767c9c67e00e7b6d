"""Archives are packed, listed and unpacked in memory."""
import io
import random
import tarfile
import zipfile

rng, size = random.Random(3), 0
for n in range(12):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(80):
            archive.writestr(f"folder{k % 5}/file{k}.txt", rng.randbytes(200) * 60)
    with zipfile.ZipFile(packed) as archive:
        size += sum(len(archive.read(name)) for name in archive.namelist())
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for k in range(60):
            info = tarfile.TarInfo(f"file{k}")
            info.size = 4000
            archive.addfile(info, io.BytesIO(rng.randbytes(4000)))
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        size += sum(len(archive.extractfile(member).read()) for member in archive)
print(size)
