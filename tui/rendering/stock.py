"""Renders styles, the bins of a style, and the floor plan with the sorters."""

from bus.text.safe import fit, width
from bus.text.sentence import marked
from tui.model.floor_plan import SorterPosition, position
from tui.model.nodes import NodeView
from tui.model.stock import LOW, StyleView
from tui.model.store import StoreModel
from tui.rendering.canvas import Canvas, Column, Line, Table, clock
from tui.rendering.store import progress
from tui.rendering.words import STATUS, STEP

_BELT = 24
"""The least cells of the belt from an aisle to the pickup points."""


TABLE = Table(
    (
        Column(marked("style"), 20, 0),
        Column(marked("on hand"), 9, 2, right=True),
        Column(marked("reserved"), 9, 3, right=True),
        Column(marked("available"), 9, 0, right=True),
        Column(marked("shelves"), 9, 1, right=True),
        Column(marked("to put back"), 11, 4, right=True),
    ),
    marked("product"),
    16,
)
"""The table of styles."""


def row(style: StyleView, canvas: Canvas) -> Line:
    """A row of the table."""
    low = style.available is not None and style.available < LOW
    shelves = str(sum(style.bins.values())) if style.bins_at else ""
    look = "warn" if low else ""
    signs: Line = []
    if low:
        signs.append(("▼ ", "warn"))
    if style.disagrees():
        signs.append(("≠ ", "bad"))
    return TABLE.row(
        canvas,
        [
            (style.sku, ""),
            *((_number(value), look) for value in (style.on_hand, style.reserved, style.available)),
            (shelves, "dim"),
            (str(style.returning or ""), "warn"),
        ],
        [*signs, (style.name, "dim")],
    )


def whole(style: StyleView, canvas: Canvas) -> list[Line]:
    """A style in full."""
    told = [
        (canvas._("on hand"), style.on_hand), (canvas._("reserved"), style.reserved),
        (canvas._("available"), style.available),
    ]  # fmt: skip
    parts: list[Line] = [[(f"{name} ", "dim"), (_number(value), "")] for name, value in told]
    if style.booked is not None:
        came, gone = style.booked
        ever = canvas._("ever came in {came}, written off {gone}", came=came, gone=gone)
        parts.append([(ever, "")])
    title: list[Line] = [[(style.name or style.sku, "head")], [(style.sku, "dim")]]
    return [*canvas.flowed(*title), *canvas.flowed(*parts), [], *bins(style, canvas)]


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def bins(style: StyleView | None, canvas: Canvas) -> list[Line]:
    """The bins of a style."""
    if style is None:
        return [[(canvas._("no style is known yet"), "dim")]]
    lines: list[Line] = [[(style.sku, "head")]]
    if not style.bins_at:
        return [*lines, [(canvas._("the warehouse has not been asked yet"), "dim")]]
    lines[0].append((canvas._("  at {time}", time=clock(style.bins_at)), "dim"))
    most = max(style.bins.values(), default=0)
    room = max(4, canvas.width - 24)
    for location, quantity in sorted(style.bins.items()):
        bar = "█" * (quantity * room // most if most else 0)
        lines.append(
            [(fit(location, 12), ""), (fit(quantity, 8, right=True) + " ", ""), (bar, "key")]
        )
    if not style.bins:
        lines.append([(canvas._("no bin holds any"), "warn")])
    if style.returning:
        lines.append([(canvas._("{count} to be put back", count=style.returning), "warn")])
    difference = style.disagrees()
    if difference:
        words = canvas._(
            "{count} more in the warehouse's books than in the catalog's", count=difference
        )
        if difference < 0:
            words = canvas._(
                "{count} fewer in the warehouse's books than in the catalog's", count=-difference
            )
        lines += canvas.lines([("≠ ", "bad")], [(words, "bad")])
    return lines


def floor_plan(model: StoreModel, canvas: Canvas) -> list[Line]:
    """The floor plan: aisles on the left, pickup points on the right, sorters between them."""
    sorters = [node for node in model.nodes if node.role == "sorter"]
    places = {sorter.name: position(sorter) for sorter in sorters}
    aisles, points = model.floor_plan.aisles, list(model.floor_plan.points)
    belt = max(_BELT, min(60, canvas.width - 34))
    lines: list[Line] = [
        [(fit(canvas._("aisles"), belt + 6), "dim"), (canvas._("pickup points"), "dim")]
    ]
    for at in range(max(len(aisles), len(points))):
        aisle = aisles[at] if at < len(aisles) else None
        point = points[at] if at < len(points) else None
        line: Line = [(fit(aisle or "", 4), "head")]
        there = [s for s in sorters if aisle and places[s.name].aisle == aisle]
        line += _belt(there, places, belt, empty=aisle is None)
        packing = [
            s.name for s in sorters if point and places[s.name].where == "point"
            and places[s.name].point == point
        ]  # fmt: skip
        if point is not None:
            sign = "◆" if point == model.floor_plan.default else "◇"
            line.append((f" {sign} {point} ", "good" if packing else ""))
            line.append(
                (" ".join(packing) or model.floor_plan.points[point], "key" if packing else "dim")
            )
        lines.append(line)
    lines.append([])
    return lines + [_job(sorter, canvas) for sorter in sorters]


def _belt(
    sorters: list[NodeView], places: dict[str, SorterPosition], cells: int, *, empty: bool
) -> Line:
    """The belt of an aisle with the sorters at its shelves and on the way."""
    shelf = [s.name for s in sorters if places[s.name].where == "aisle"]
    way = [s.name for s in sorters if places[s.name].where == "way"]
    left = "".join(f"▣{name} " for name in shelf)
    right = "".join(f"▶{name} " for name in way)
    left, right = fit(left, min(width(left), cells // 2)), fit(right, min(width(right), cells // 2))
    middle = cells - width(left) - width(right)
    fill = " " if empty else "─"
    return [(left, "key"), (fill * (middle // 2), "line"), (right, "key"),
            (fill * (middle - middle // 2), "line")]  # fmt: skip


def _job(sorter: NodeView, canvas: Canvas) -> Line:
    sign, style, word = STATUS[sorter.status]
    line: Line = [(f"{sign} {fit(sorter.name, 12)} ", style)]
    job, place = sorter.job, position(sorter)
    if sorter.status != "online" or job is None:
        return [*line, (canvas._(word), style)]
    line.append((fit(canvas._(STEP.get(job.step, "?")), 14), ""))
    if place.where == "idle":
        return line
    line.append((progress(job.pick, job.picks, 10) + " ", "key"))
    line.append((job.order or "", "dim"))
    if place.where == "unknown":
        line.append(("  " + canvas._("its way was not heard"), "dim"))
    return line
