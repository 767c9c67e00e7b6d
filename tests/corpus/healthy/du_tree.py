"""A command-line tool: how much is in each folder of the standard library, printed as a tree, the largest first."""
import argparse
import os


class Folder:
    def __init__(self, name):
        self.name, self.size, self.files, self.inside = name, 0, 0, []


def measure(path, name):
    folder = Folder(name)
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "site-packages":
                    folder.inside.append(measure(entry.path, entry.name))
            elif entry.is_file(follow_symlinks=False):
                folder.size += entry.stat().st_size
                folder.files += 1
    folder.size += sum(f.size for f in folder.inside)
    folder.files += sum(f.files for f in folder.inside)
    folder.inside.sort(key=lambda f: -f.size)
    return folder


def lines(folder, depth, most):
    yield f"{'  ' * depth}{folder.size / 1024:10.1f} KiB {folder.files:6} {folder.name}"
    if depth < most:
        for inside in folder.inside:
            yield from lines(inside, depth + 1, most)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path", nargs="?", default=os.path.dirname(os.__file__))
    parser.add_argument("--depth", type=int, default=2)
    args = parser.parse_args()
    shown = 0
    for _ in range(6):
        shown = sum(1 for _ in lines(measure(args.path, "."), 0, args.depth))
    print(shown > 20)


main()
