"""`python -m memsure` is the same as `memsure`."""

import sys

from memsure.cli import main

if __name__ == "__main__":
    sys.exit(main())
