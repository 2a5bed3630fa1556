"""`poxlens export` and `poxlens export check`."""

from poxlens.cli.export.make import export

__all__ = ["export"]
