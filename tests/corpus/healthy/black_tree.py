"""Formats the standard library's json, email and asyncio with black, as a library."""

import asyncio
import email
import json
from pathlib import Path

import black


def main():
    mode, changed = black.Mode(line_length=100), 0
    for package in (json, email, asyncio):
        for path in sorted(Path(package.__file__).parent.glob("*.py"))[:14]:
            text = path.read_text(encoding="utf-8")
            try:
                changed += black.format_str(text, mode=mode) != text
            except black.InvalidInput:
                pass
    print(changed)


main()
