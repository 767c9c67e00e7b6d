"""Lock files are read one after another, as a package manager does when it resolves."""
import tomlkit


def text(n):
    lines = []
    for k in range(6):
        lines += ["[[package]]", f'name = "package-{n}-{k}"', f'version = "{n}.{k}.0"', 'optional = false',
                  'dependencies = ["a >= 1", "b < 3"]', f'extras = {{test = ["pytest-{n}"], docs = ["sphinx"]}}', ""]
    return "\n".join(lines)


def main():
    names = 0
    for n in range(15):
        lock = tomlkit.parse(text(n))
        for package in lock["package"]:
            names += len(package["name"]) + len(package["dependencies"])
    print(names)


main()
