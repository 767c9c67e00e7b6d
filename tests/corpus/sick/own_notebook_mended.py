"""An analysis as its author ran it, cell by cell."""
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance(history_load_length=0)
shell.history_manager.enabled = False
shell.run_cell("def load(day):\n    return [(day, n, str(n) * 3) for n in range(5_000)]", silent=True)
for day in range(40):
    shell.run_cell(f"len(load({day}));", store_history=True)
