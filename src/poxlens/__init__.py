"""poxlens: screen a close-up photo of a rash for mpox, offline, with reasons, and say so when it cannot tell.

A screening aid, not a diagnosis; PCR decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poxlens.screen.decision import Context, Decision
    from poxlens.screen.screener import Screener

__version__ = "0.1.0"
__all__ = ["Context", "Decision", "Screener", "__version__"]

_HOME = {
    "Context": "poxlens.screen.decision",
    "Decision": "poxlens.screen.decision",
    "Screener": "poxlens.screen.screener",
}


def __getattr__(name: str) -> Any:
    """Load the public names on first use, so that `import poxlens` stays light (PEP 562)."""
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'poxlens' has no attribute {name!r}")
