"""A terminal application of textual without a terminal."""

import asyncio

from textual.app import App
from textual.widgets import DataTable, Input, Label


class A(App):
    def compose(self):
        yield Label("x", id="l")
        yield Input()
        yield DataTable()

    def on_mount(self):
        t = self.query_one(DataTable)
        t.add_columns("a", "b", "c")
        for i in range(300):
            t.add_row(str(i), "x" * 10, "y")


async def main():
    n = 0
    for r in range(3):
        a = A()
        async with a.run_test() as p:
            for i in range(25):
                await p.press("tab", "down", "a")
                a.query_one("#l").update(f"n {i}")
                await p.pause()
            n += a.query_one(DataTable).row_count
    print(n)


asyncio.run(main())
