"""rich draws tables, trees and syntax into a file."""
import io

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.tree import Tree

console = Console(file=io.StringIO(), width=100, force_terminal=True)
for n in range(60):
    table = Table(title=f"Orders {n}")
    for name in ("Number", "Name", "Price"):
        table.add_column(name)
    for k in range(30):
        table.add_row(str(k), f"[bold]thing {k}[/bold]", f"[green]{k * 1.5:.2f}[/green]")
    console.print(table)
    tree = Tree("root")
    for k in range(20):
        tree.add(f"branch {k}").add("leaf")
    console.print(tree)
    console.print(Syntax("def f(a):\n    return [a + n for n in range(10)]\n" * 5, "python"))
    console.file.seek(0)
    console.file.truncate()
print("done")
