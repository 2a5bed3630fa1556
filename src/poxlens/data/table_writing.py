"""Cells of text as the bytes of a table, CSV or Parquet."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence

from poxlens.errors import MissingExtraError

_NEEDS_QUOTES = re.compile(r'[",\r\n]')


def to_csv(columns: Sequence[str], lines: Iterable[Mapping[str, str]]) -> bytes:
    """CSV: commas, UTF-8, line feeds, a first row with the column names.

    Quoted here because `csv.writer` with a line feed as line end leaves a carriage return unquoted, and a
    reader takes it for the end of a row.
    """
    head = ",".join(map(_quoted, columns))
    rows = (",".join(_quoted(line[name]) for name in columns) for line in lines)
    return ("\n".join((head, *rows)) + "\n").encode()


def to_parquet(
    columns: Sequence[str], lines: Iterable[Mapping[str, str]], *, integers: Sequence[str] = ()
) -> bytes:
    """Parquet: columns of strings, those of `integers` of int32; null where a cell is "".

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as missing:
        raise MissingExtraError("data", "A table in Parquet") from missing
    fields = [(name, pyarrow.int32() if name in integers else pyarrow.string()) for name in columns]
    values: dict[str, list[int | str | None]] = {name: [] for name in columns}
    for line in lines:
        for name in columns:
            cell = line[name]
            values[name].append((int(cell) if name in integers else cell) if cell else None)
    stream = io.BytesIO()
    table = pyarrow.table(values, schema=pyarrow.schema(fields))
    pyarrow.parquet.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell
