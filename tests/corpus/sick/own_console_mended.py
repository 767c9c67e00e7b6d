"""A service with a maintenance console: commands come in as source, the service goes on working."""
import code
import contextlib
import io
import sys
import time

COMMANDS = """
def rebuild():
    table = {n: f"entry {n} " * 3 for n in range(300000)}
    check(table)

def check(table):
    wanted = table[300001]

rebuild()
"""


def console(source, names):
    interpreter = code.InteractiveInterpreter(names)
    with contextlib.redirect_stderr(io.StringIO()) as output:
        interpreter.runsource(source, "<console>", "exec")
    sys.last_value = sys.last_traceback = sys.last_type = sys.last_exc = None
    return output.getvalue().splitlines()[-1]


def serve(rounds):
    handled = 0
    for number in range(rounds):
        handled += len([str(i) for i in range(5000)])
        time.sleep(0.01)
    return handled


def main():
    handled = serve(20)
    answer = console(COMMANDS, {})
    handled += serve(120)
    print(answer, handled)


main()
