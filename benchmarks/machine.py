"""What the figures were measured on: a ratio is comparable on one class of machine only."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

from poxlens.screen.screener import available_cores


def machine() -> dict[str, str | int]:
    """Cores this process may use, processor, system and versions."""
    return {
        "cores": available_cores(),
        "cpu": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "pillow", "onnxruntime", "poxlens")},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    name = fields.get("model name", platform.processor() or "unknown")
    numbers = [
        f"{short} {fields[key]}"
        for short, key in (("family", "cpu family"), ("model", "model"))
        if key in fields
    ]
    return f"{name} ({', '.join(numbers)})" if numbers else name
