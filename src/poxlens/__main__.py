"""`python -m poxlens` is `poxlens`."""

from __future__ import annotations

import sys

from poxlens.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
