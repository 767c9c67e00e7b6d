"""A parser of command lines is built for each request, always the same."""
import argparse


def handle(words):
    parser = argparse.ArgumentParser("shop", None, "answers requests")      # culprit
    parser.add_argument("--size", type=int, default=3)
    return parser.parse_args(words).size


print(sum(handle(["--size", "4"]) for _ in range(2500)))
