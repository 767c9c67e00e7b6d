"""A bot that takes commands like a shell."""
import argparse
import shlex


def parser():
    commands = argparse.ArgumentParser(prog="bot", add_help=False)
    kinds = commands.add_subparsers(dest="kind")
    for kind in ("remind", "list", "drop"):
        one = kinds.add_parser(kind, add_help=False)
        one.add_argument("--when", default="today")
        one.add_argument("--who", default="me")
        one.add_argument("words", nargs="*")
    return commands


def answer(line):
    asked = parser().parse_args(shlex.split(line))
    return f"{asked.kind} {asked.who} {asked.when} {len(asked.words)}"


print(sum(len(answer(f"remind --when {n % 7} buy milk {n}")) for n in range(1_500)))
