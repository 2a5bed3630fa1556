"""Make a table of images from a folder or another table, checked against what is known of the set."""

from __future__ import annotations

from poxlens.data.importing.folder import Progress, Wish, import_folder
from poxlens.data.importing.from_table import import_table
from poxlens.data.importing.result import Imported, write_imported

__all__ = ["Imported", "Progress", "Wish", "import_folder", "import_table", "write_imported"]
