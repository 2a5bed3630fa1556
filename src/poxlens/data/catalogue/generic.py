"""Sets that are nobody's release: a folder per class, or a table."""

from __future__ import annotations

from poxlens.data.catalogue.spec import SetSpec

_YOURS = "yours to know"

FOLDER = SetSpec(
    name="folder",
    title="Any folder with a folder per class",
    about="The name of a class folder is the label. Folders train, val and test above them are kept as a split.",
    layout="{class}/…, or {train,val,test}/{class}/…, in any outer folder.",
    group="none: give patients in a table, or group by near-duplicates.",
    licence=_YOURS,
    citation=_YOURS,
    where=(),
    facts="no counts to check",
    augmented='files under a folder with "augmented" in its name.',
    unique_names=False,
)

CSV = SetSpec(
    name="csv",
    title="Any table of images",
    about="A CSV or Parquet with the columns file and label, and any others of a table of images.",
    layout="the table; files are relative to its folder.",
    group="columns patient and group.",
    licence=_YOURS,
    citation=_YOURS,
    where=(),
    facts="no counts to check; sizes and SHA-256 that the table gives are compared with the files",
    unique_names=False,
)
