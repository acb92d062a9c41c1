"""Normalise the cells of a table: text, numbers, tax rates, SKUs and GTINs.

A cell that cannot be read is left as it is; its reader reports what is wrong.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bus.contract.values import gtin14
from store.shop.numbers import canonical, numeral_in, read_numeral, style_of
from store.shop.reading_options import AmbiguousFile, Decimal, ReadingOptions, TaxUnit
from store.shop.row import BadRow, Row

NUMBERS = ("price", "quantity", "counted", "tax_rate")
"""Columns of numbers that may have digit groups and decimal places."""
EMPTY = "-"
"""The cell that clears a field; an empty cell leaves it as it is."""
_BREAKS = re.compile(r"\s*[\t\r\n\v\f]\s*")
_FORMULA = re.compile(r'="([^"]*)"')
_LOST_ZEROS = {7: 8, 9: 12, 10: 12, 11: 12}
"""Lengths of GTINs that have lost leading zeros, and their original lengths."""
_ONE_PER_CENT = 100
"""In basis points. No shop's tax rate is lower than this, and none is this high in per cent."""


_UNITS: dict[TaxUnit, str] = {
    "percent": "tax in per cent",
    "basis-points": "tax in basis points",
    "fraction": "tax as a fraction of one",
}


def tidy(file: Path, rows: Sequence[Row]) -> tuple[list[Row], list[BadRow]]:
    """Return cells without line breaks and additions of spreadsheets, and notes about them."""
    tidied: list[Row] = []
    notes: list[BadRow] = []
    for row in rows:
        cells = {name: _plain(cell) for name, cell in row.cells.items()}
        for name in cells.keys() & set(NUMBERS):
            cells[name] = unicodedata.normalize("NFKC", cells[name])
        for name, normalise in (("sku", normal_sku), ("gtin", normal_gtin), ("account", str.upper)):
            normal = normalise(cells.get(name, ""))
            if normal != cells.get(name, ""):
                notes.append(BadRow(file, row.line, f"{name}: {cells[name]!r} is {normal!r} here"))
                cells[name] = normal
        tidied.append(replace(row, cells=cells))
    return tidied, notes


def _plain(cell: str) -> str:
    text = _BREAKS.sub(" ", cell.strip())
    formula = _FORMULA.fullmatch(text)
    return formula[1].strip() if formula else text


def normal_sku(text: str) -> str:
    """A SKU with hyphens in place of spaces, as the store has it."""
    return re.sub(r"\s+", "-", unicodedata.normalize("NFKC", text))


def normal_gtin(text: str) -> str:
    """A GTIN's digits, with the leading zeros that a spreadsheet removed."""
    digits = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text).removeprefix("'"))
    digits = re.sub(r"(?<=[0-9])[.,]0+$", "", digits)
    if not (digits.isascii() and digits.isdigit()):
        return text
    padded = digits.rjust(_LOST_ZEROS.get(len(digits), 0), "0")
    try:
        gtin14(padded)
    except ValueError:
        return digits
    return padded


def in_one_notation(
    file: Path, rows: Sequence[Row], how: ReadingOptions
) -> tuple[list[Row], tuple[str, ...]]:
    """Return numbers as `1234.50` and tax rates in basis points, and in words how they were read.

    Raises:
        AmbiguousFile: a number, or the tax rates, can be read in two ways.
    """
    style, unclear = style_of(numeral for _, _, numeral in _numerals(rows))
    if unclear is not None and how.decimal is None:
        line, column, _ = next(each for each in _numerals(rows) if each[2] == unclear)
        decimals: tuple[Decimal, ...] = ("point", "comma")
        ways = [(each, f"{column} is {_worth(unclear, each)}") for each in decimals]
        question = f"{unclear!r} in line {line} can be read in two ways."
        raise AmbiguousFile(file, question, "decimal", ways)
    decimal = how.decimal or ("comma" if style == "comma" else "point")
    if unclear is not None and style == "none":
        style = decimal
    numbered = [_with_numbers(row, decimal) for row in rows]
    unit = how.tax or _tax_unit(file, numbered)
    said = [] if style == "none" else [f"{style} decimals"]
    if style == "mixed":
        said = ["point and comma decimals mixed"]
    if unit is not None:
        said.append(_UNITS[unit])
    return [_with_tax(row, unit) for row in numbered], tuple(said)


def _worth(numeral: str, decimal: Decimal) -> str:
    whole, _, places = (read_numeral(numeral, decimal) or numeral).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def _numerals(rows: Sequence[Row]) -> Iterator[tuple[int, str, str]]:
    """The line, column and text of each number."""
    for row in rows:
        for column in NUMBERS:
            numeral = numeral_in(row.cells.get(column, ""))
            if numeral is not None:
                yield row.line, column, numeral


def _with_numbers(row: Row, decimal: Decimal) -> Row:
    cells = dict(row.cells)
    for _, column, numeral in _numerals([row]):
        cells[column] = cells[column].replace(numeral, canonical(numeral, decimal) or numeral)
    return replace(row, cells=cells)


def _tax_unit(file: Path, rows: Sequence[Row]) -> TaxUnit | None:
    """The unit of rates without a %, decided for the whole column."""
    first: dict[TaxUnit, tuple[int, str]] = {}
    for row in rows:
        number = _bare(row.cells.get("tax_rate", ""))
        if number is None or not number.strip("0."):
            continue
        whole, _, places = number.partition(".")
        unit: TaxUnit = "percent"
        if not int(whole):
            unit = "fraction"
        elif int(whole) >= _ONE_PER_CENT and not places.strip("0"):
            unit = "basis-points"
        first.setdefault(unit, (row.line, number))
    if len(first) > 1 or "fraction" in first:
        told = " and ".join(f"{number} (line {line})" for line, number in first.values())
        units = (*first, *(("percent",) if "percent" not in first else ()))
        numbers = [number for _, number in first.values()]
        readings = [(unit, _told(unit, *numbers)) for unit in units]
        raise AmbiguousFile(file, f"the tax rate {told} can be meant in two ways.", "tax", readings)
    return next(iter(first), None)


def _told(unit: TaxUnit, *numbers: str) -> str:
    rates = ((number, in_basis_points(number, unit)) for number in numbers)
    return ", ".join(
        f"{number} is {int(rate) / _ONE_PER_CENT:g} %"
        for number, rate in rates
        if rate is not None and int(rate) <= _ONE_PER_CENT**2
    )


def _bare(text: str) -> str | None:
    return text if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) else None


def _with_tax(row: Row, unit: TaxUnit | None) -> Row:
    text = row.cells.get("tax_rate", "")
    percent = re.fullmatch(r"([0-9]{1,4}(?:\.[0-9]{1,6})?)\s*%", text)
    number = percent[1] if percent else _bare(text)
    if number is None:
        return row
    rate = in_basis_points(number, "percent" if percent else unit or "basis-points")
    return replace(row, cells={**row.cells, "tax_rate": rate or text})


def in_basis_points(number: str, unit: TaxUnit) -> str | None:
    """A rate in hundredths of a per cent; None if it has more decimal places."""
    whole, _, places = number.partition(".")
    digits = {"basis-points": 0, "percent": 2, "fraction": 4}[unit]
    places = places.rstrip("0").ljust(digits, "0")
    return str(int(whole + places)) if len(places) == digits else None
