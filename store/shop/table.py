"""Read a shop's file as rows with line numbers, however a spreadsheet has written it.

This is the only place that turns a file into rows. `Table.read_as` says how it was read;
`AmbiguousFile` asks where a file is ambiguous. The meaning of the columns is for others.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bus.contract.errors import ConfigurationError
from store.shop.csv_parser import QUOTES, Record, named_delimiter, read_records, split_lines
from store.shop.encoding import decode, sample
from store.shop.mapping import UNMISTAKABLE, Mapping, Translation, changes_meaning, plain_name
from store.shop.normalisation import in_one_notation, tidy
from store.shop.reading_options import DELIMITERS, DETECT, AmbiguousFile, ReadingOptions
from store.shop.row import BadRow, Row

Kind = Literal["stock", "counts", "accounts", "locations", "products", "prices"]

COLUMNS: dict[Kind, tuple[str, ...]] = {
    "stock": ("sku", "location", "quantity"),
    "accounts": ("account", "balance"),
    "locations": ("location", "holds"),
    "counts": ("sku", "location", "counted"),
    "products": ("product", "sku"),
    "prices": ("sku", "price"),
}
"""The required columns of each kind of file; the first kind whose columns are all there is
chosen."""
FURTHER: dict[Kind, tuple[str, ...]] = {
    "products": (
        *("name", "description", "url", "gtin", "attributes", "price", "currency", "category"),
        "tax_rate",
    ),
    "prices": ("currency", "tax_rate"),
    "accounts": ("name",),
}
"""The optional columns; others are for people."""


@dataclass(frozen=True)
class Table:
    """A file's rows, and what became of each of its lines."""

    file: Path
    kind: Kind
    columns: frozenset[str]
    """Those of our columns that it has."""
    rows: list[Row]
    bad: list[BadRow]
    """Rows that could not be read."""
    notes: list[BadRow]
    """Cells that were read differently from how they are written."""
    skipped: list[BadRow]
    """Rows that the map skips, because they are not goods of the shop."""
    overlooked: tuple[str, ...]
    """Ignored columns that may change what others mean, such as a unit or another price."""
    read_as: tuple[str, ...]
    """Delimiter, notation and encoding that were used, in words."""
    lines: int
    header: int
    """Lines up to the first row."""
    empty: int
    within: int
    """Lines that continue a cell of the line before."""


def kind_of(file: Path) -> Kind:
    """Return what a file holds, decided by its header.

    Raises:
        ConfigurationError: it cannot be read, or has the columns of no kind.
    """
    return read_table(file).kind


def read_table(file: Path, kind: Kind | None = None, how: ReadingOptions = DETECT) -> Table:
    """Read all rows that have as many cells as the header, and report the others.

    Args:
        file: the CSV file.
        kind: what it must hold; None to decide by its header.
        how: what the user has decided.

    Raises:
        AmbiguousFile: it is ambiguous.
        ConfigurationError: it cannot be read, or lacks a column.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
    text, encoding = decode(file, data, how.encoding)
    lines = split_lines(text)
    if how.mapping is not None:
        _refuse_unknown(how.mapping)
    start, delimiter = _delimiter(file, lines, how)
    header = next(read_records(lines, delimiter, start), None)
    names = _names(file, header, how.mapping)
    rows, counts = _RowCollector(file, names), Counter[str]()
    if header is not None:
        counts["header"] = start + header.lines
        width = len(header.cells)
        for record in read_records(lines, delimiter, counts["header"], width):
            rows.take(record, counts)
    found, skipped = _translated(file, rows.good, how.mapping)
    columns = frozenset(filter(None, names))
    if how.mapping is not None:
        columns = how.mapping.ours(columns)
    tidied, notes = tidy(file, found)
    in_order, notation = in_one_notation(file, tidied, how)
    seen = sample(text)
    said = encoding + (f" (“{seen}”)" if seen and not encoding.startswith("utf") else "")
    kind = _kind(file, columns, kind)
    known = how.mapping.knows() if how.mapping else {*COLUMNS[kind], *FURTHER.get(kind, ())}
    return Table(
        file=file,
        kind=kind,
        columns=columns,
        rows=in_order,
        bad=rows.bad,
        notes=notes,
        skipped=skipped,
        overlooked=tuple(
            cell.strip()
            for name, cell in zip(names, header.cells if header is not None else (), strict=False)
            if name not in known and changes_meaning(cell)
        ),
        read_as=(DELIMITERS.get(delimiter, repr(delimiter)), *notation, said),
        lines=len(lines),
        header=counts["header"],
        empty=counts["empty"],
        within=counts["within"],
    )


class _RowCollector:
    """Collects the well-formed rows, and reports what is wrong with the others."""

    def __init__(self, file: Path, names: Sequence[str]) -> None:
        self.good: list[Row] = []
        self.bad: list[BadRow] = []
        self._file = file
        self._names = names

    def take(self, record: Record, counts: Counter[str]) -> None:
        if record.empty:
            counts["empty"] += record.lines
            return
        counts["within"] += record.lines - 1
        cells = list(record.cells)
        while len(cells) > len(self._names) and not cells[-1].strip():
            cells.pop()
        if not record.readable:
            self.bad.append(BadRow(self._file, record.line, QUOTES))
        elif len(cells) != len(self._names):
            reason = f"{len(cells)} columns where the header has {len(self._names)}"
            self.bad.append(BadRow(self._file, record.line, reason))
        else:
            named = zip(self._names, cells, strict=True)
            self.good.append(Row(record.line, {name: cell for name, cell in named if name}))


def _delimiter(file: Path, lines: Sequence[str], how: ReadingOptions) -> tuple[int, str]:
    """How many lines precede the header, and the delimiter of its cells."""
    start, named = 0, named_delimiter(lines[0]) if lines else None
    if named:
        start = 1
    while start < len(lines) and not lines[start].strip(" ,;\t|"):
        start += 1
    if how.delimiter or named:
        return start, how.delimiter or named or ","
    known = _known(how.mapping)
    found: dict[str, int] = {}
    for delimiter in DELIMITERS:
        header = next(read_records(lines, delimiter, start), None)
        cells = header.cells if header is not None else ()
        found[delimiter] = len({plain_name(cell) for cell in cells} & known)
    most = max(found.values())
    best = [delimiter for delimiter, count in found.items() if count == most]
    if len(best) > 1 and most > 1:
        ways = [(DELIMITERS[each], f"{most} columns that are known") for each in best]
        raise AmbiguousFile(file, "its header can be read in several ways.", "delimiter", ways)
    return start, best[0]


def _known(mapping: Mapping | None) -> frozenset[str]:
    if mapping is not None:
        return mapping.knows()
    names = (name for part in (COLUMNS, FURTHER) for columns in part.values() for name in columns)
    return frozenset(names)


def _names(file: Path, header: Record | None, mapping: Mapping | None) -> list[str]:
    """The header's names in the form used for comparison, without empty ones at its end."""
    if header is not None and not header.readable:
        raise ConfigurationError(f"{file} has no header that can be read: {QUOTES}.")
    names = [plain_name(cell) for cell in header.cells] if header is not None else []
    if mapping is None:
        names = [_ours(name, names) for name in names]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if bad := [name for name in twice if name in _known(mapping)]:
        raise ConfigurationError(
            f"{file} has two columns of the same name in its header: {', '.join(bad)}."
        )
    names = ["" if name in twice else name for name in names]
    while names and not names[-1]:
        names.pop()
    return names


def _refuse_unknown(mapping: Mapping) -> None:
    """Raise `ConfigurationError` if a map names a column that we do not have."""
    ours = {name for part in (COLUMNS, FURTHER) for names in part.values() for name in names}
    for table, names in (
        ("columns", mapping.columns),
        ("defaults", mapping.defaults),
        ("html", mapping.html),
        ("goods", mapping.goods),
    ):
        for name in names:
            if name not in ours:
                raise ConfigurationError(
                    f"--map: there is no column {name!r}, in {table}. There are:"
                    f" {', '.join(sorted(ours))}."
                )


def _ours(name: str, names: Sequence[str]) -> str:
    """Our name for a column whose name is unambiguous, unless our own name is there, too."""
    for ours, others in UNMISTAKABLE.items():
        if name in others and ours not in names:
            return ours
    return name


def _translated(
    file: Path, rows: list[Row], mapping: Mapping | None
) -> tuple[list[Row], list[BadRow]]:
    if mapping is None:
        return rows, []
    translation = Translation(mapping, [row.cells for row in rows])
    goods: list[Row] = []
    skipped: list[BadRow] = []
    for row in rows:
        reason = translation.why_not(row.cells)
        if reason is None:
            goods.append(Row(row.line, translation.cells(row.cells)))
        else:
            skipped.append(BadRow(file, row.line, reason))
    return goods, skipped


def _kind(file: Path, columns: frozenset[str], wanted: Kind | None) -> Kind:
    if wanted is not None:
        missing = [column for column in COLUMNS[wanted] if column not in columns]
        if missing:
            raise ConfigurationError(
                f"{file} has no column {', '.join(missing)}."
                f" A file of {wanted} has the columns {', '.join(COLUMNS[wanted])}."
            )
        return wanted
    for kind, needed in COLUMNS.items():
        if columns.issuperset(needed):
            return kind
    expected = "; ".join(
        f"{kind}: {', '.join((*needed, *FURTHER.get(kind, ())))}"
        for kind, needed in COLUMNS.items()
    )
    raise ConfigurationError(
        f"{file} has the columns of no kind of file: {', '.join(sorted(columns)) or 'none'}."
        f" Expected: {expected}. For files of other programs there is --map."
    )
