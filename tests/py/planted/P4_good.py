"""The parser is built once."""
import argparse

PARSER = argparse.ArgumentParser("shop", None, "answers requests")
PARSER.add_argument("--size", type=int, default=3)


def handle(words):
    return PARSER.parse_args(words).size


print(sum(handle(["--size", "4"]) for _ in range(2500)))
