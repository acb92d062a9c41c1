"""The result of a load, as a table for people and as JSON."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from testing.kit.percentiles import nearest_rank
from testing.load.load_counts import KindCounts, LoadCounts

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
_DECADES = (1, 10, 100, 1000, 10_000)


def as_table(counts: LoadCounts) -> Table:
    """A row for each kind and one for all kinds; latencies in milliseconds."""
    table = Table(
        "", "sent", "answered", "refused", "no\nanswer", "not\nsent",
        *PERCENTILES, "per s",
        box=None, header_style="bold", pad_edge=False,
    )  # fmt: skip
    rows = dict(counts.kinds)
    if len(rows) > 1:
        rows["all"] = counts.together
    for kind, counted in rows.items():
        ordered = sorted(counted.seconds)
        table.add_row(
            kind, str(counted.sent), str(counted.answered), _refusals(counted.refused),
            str(counted.no_answer + counted.under_way), str(counted.not_sent),
            *(_text(ordered, percent) for percent in PERCENTILES.values()),
            f"{_throughput(counted, counts):.1f}",
        )  # fmt: skip
    return table


def as_json(counts: LoadCounts) -> dict[str, Any]:
    """The same with more of the distribution; latencies in milliseconds."""
    return {
        "seconds": round(counts.seconds, 3),
        "generator_late_ms": round(counts.lateness * 1000, 3),
        "kinds": {kind: _document(counted, counts) for kind, counted in counts.kinds.items()},
        "together": _document(counts.together, counts),
    }


def _document(counted: KindCounts, counts: LoadCounts) -> dict[str, Any]:
    ordered = sorted(counted.seconds)
    return {
        "sent": counted.sent,
        "answered": counted.answered,
        "refused": dict(counted.refused),
        "no_answer": counted.no_answer + counted.under_way,
        "not_sent": counted.not_sent,
        "answered_per_second": round(_throughput(counted, counts), 3),
        "latency_ms": {
            name: _milliseconds(ordered, percent) for name, percent in PERCENTILES.items()
        },
        "longer_than_ms": {
            str(limit): sum(seconds * 1000 > limit for seconds in ordered) for limit in _DECADES
        },
    }


def _milliseconds(ordered: Sequence[float], percent: float) -> float | None:
    return round(nearest_rank(ordered, percent) * 1000, 3) if ordered else None


def _text(ordered: Sequence[float], percent: float) -> str:
    milliseconds = _milliseconds(ordered, percent)
    return "-" if milliseconds is None else f"{milliseconds:.1f}"


def _refusals(refused: Counter[str]) -> str:
    """The number of refusals by code; a code is text from the store."""
    found = [f"{count} {code[:40]}" for code, count in refused.most_common()]
    return ", ".join(found).replace("[", r"\[") or "0"


def _throughput(counted: KindCounts, counts: LoadCounts) -> float:
    return counted.answered / counts.seconds if counts.seconds else 0.0


def advice(counts: LoadCounts) -> list[str]:
    """What to do about refusals that are common in a load."""
    refused, sentences = counts.together.refused, []
    if refused["sold-out"]:
        sentences.append(
            f"{refused['sold-out']} customers found it sold out: --stock brings goods in"
        )
    if refused["payment-declined"]:
        sentences.append(
            f"{refused['payment-declined']} payments were declined: --stock deposits money too,"
            " --pay takes another account"
        )
    return sentences
