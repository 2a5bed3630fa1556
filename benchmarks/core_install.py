"""What `pip install .` costs: `python -m benchmarks.core_install` installs the core in a venv of its own.

Prints the size of its packages in MB (pip left out), the largest of them, and whether torch came along. Exit code 0
when it is under the target without torch, else 1. It needs a package index, so `make bench` leaves it out.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

TARGET = 300  # MB
ROOT = Path(__file__).parents[1]


def main() -> int:
    with TemporaryDirectory(prefix="poxlens-core-") as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--constraint", "constraints.txt", "."], cwd=ROOT, check=True)
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = Path(
            subprocess.run([python, "-c", where], check=True, capture_output=True, text=True).stdout.strip()
        )
        subprocess.run([python, "-m", "poxlens", "--version"], check=True, cwd=folder)
        parts = [part for part in site.iterdir() if part.name.partition("-")[0] not in ("pip", "setuptools")]
        sizes = {part.name: _megabytes(part) for part in parts}
    total, torch = sum(sizes.values()), "torch" in sizes
    for name, size in sorted(sizes.items(), key=lambda entry: -entry[1])[:8]:
        print(f"{size:8.1f} MB  {name}")
    print(f"{total:8.1f} MB  in all (target < {TARGET}); torch: {'yes' if torch else 'no'}")
    return 0 if total < TARGET and not torch else 1


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


if __name__ == "__main__":
    sys.exit(main())
