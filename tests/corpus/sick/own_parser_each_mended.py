"""A chat bot: each message is a command line."""
import argparse
import random
import shlex


def build():
    parser = argparse.ArgumentParser(prog="bot", add_help=False)
    parser.add_argument("command", choices=["say", "roll", "remind", "poll"])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--to", default="all")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--colour", choices=["red", "green", "blue"], default="green")
    return parser


PARSER = build()


def answer(message):
    given = PARSER.parse_args(shlex.split(message))
    return f"{given.command} {' '.join(given.words)} x{given.times} for {given.to}"


def messages(count):
    rng = random.Random(6)
    for number in range(count):
        yield rng.choice([f"say hello {number}", f"roll --times {number % 6 + 1}", "poll yes no --to team", "remind me --quiet"])


def main():
    length = 0
    for message in messages(6000):
        length += len(answer(message))
    print(length)


main()
