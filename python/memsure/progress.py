"""What is being done, while it takes long.

On a terminal one line on stderr, from half a second on, rewritten and gone at the end. Elsewhere (a pipe, CI) one line for a step
that takes ten seconds. The work goes on in C without the interpreter's lock; a thread only writes the line.
"""

import sys

from .cli import write


class Progress:
    """with Progress("reading x.memsure") as progress: ...; progress.say("what next").

    Damage that is only seen while columns are read becomes an Unreadable here."""

    AFTER, EACH, PIPED = 0.5, 0.2, 10.0

    def __init__(self, what):
        self.what = what

    def say(self, what):
        self.what = what

    def __enter__(self):
        import threading

        try:
            terminal = sys.stderr.isatty()
        except (AttributeError, ValueError):
            terminal = False
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._rewrite if terminal else self._note, daemon=True)
        self.thread.start()
        return self

    def _rewrite(self):
        from . import text

        paper, shown = text.paper_for(sys.stderr), 0
        wait = self.AFTER
        while not self.done.wait(wait):
            line = paper.cut(paper.fix(self.what) + " " + paper.sign("…"), paper.width - 1)
            write(sys.stderr, "\r" + paper.left(line, shown))
            shown, wait = max(shown, text.cells(line)), self.EACH
        if shown:
            write(sys.stderr, "\r" + " " * shown + "\r")

    def _note(self):
        from . import text

        told = None
        while not self.done.wait(self.PIPED):
            if self.what != told:
                told = self.what
                paper = text.paper_for(sys.stderr)
                write(sys.stderr, paper.finish([f"note: {paper.fix(told)} {paper.sign('…')}"]))

    def __exit__(self, kind, e, tb):
        self.done.set()
        self.thread.join()
        if e is not None:
            from . import _core
            from .recording import Unreadable

            if isinstance(e, _core.Error):
                path = getattr(e, "path", None)
                text = str(e)
                raise Unreadable(text if path is None or path in text else f"{path}: {text}") from None
        return False
