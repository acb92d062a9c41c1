"""Whatever the terminal's width: a sentence is read to its end, and nothing is wider than it is."""

from string import Formatter
from typing import Any
from unittest.mock import Mock

import pytest
from console_fixtures import model, seen, shows, watching
from rich.cells import set_cell_size
from running_store import FaultyBroker
from story import recorded
from test_texts import texts
from textual.pilot import Pilot

from bus.contract.errors import BrokerError
from bus.text.sentence import Sentence
from bus.text.texts import Texts
from tui.app import Console
from tui.model.nodes import NodeView
from tui.model.store import StoreModel
from tui.model.track import Track
from tui.model.why import Why
from tui.picture import node, orders, search, stock, topics, traffic
from tui.picture.paper import Column, Line, Paper, Table, breadth, middle_out, shortened
from tui.picture.store import _TWO_PANES, picture
from tui.screens.node import NodeScreen

SIZES = [(80, 24), (120, 30), (200, 60)]
LANGUAGES = ["en", "zh"]
_LONG = {
    "node": "terminal-12", "sender": "settlement", "receiver": "warehouse", "sorter": "sorter-12",
    "order": "o-qb0r4vrcym", "sku": "OXFORD-BLUE-XXL", "name": "pickup-points", "count": "1234",
    "fault": "the belt of aisle A-03 is jammed and its motor is hot", "times": "12",
    "reason": "terminal-12 waits for settlement to accept the purchase",
    "what": "to take back what it has promised", "caller": "terminal-12", "callee": "warehouse",
    "words": "the warehouse's books are older than the order, look into its log and its database",
}  # fmt: skip


def filled(text: str) -> Sentence:
    """A sentence with something long in each of its gaps."""
    gaps = {name for _, name, _, _ in Formatter().parse(text) if name}
    return Sentence(text, **{gap: _LONG.get(gap, "settlement-12") for gap in gaps})


SENTENCES = sorted((text for text in texts("tui") if len(text) > 25), key=len)
LONGEST = Sentence(
    "{reason}, and it is switched off",
    reason=Sentence("{reason}; asked {times} times", times=12, reason=filled("{reason}")),
)


def told(lines: list[Line]) -> str:
    """What stands in some lines, as if there were no line breaks."""
    return "".join("".join(text for text, _ in line) for line in lines).replace(" ", "")


def left_of(lines: list[Line], width: int) -> list[Line]:
    """What does not stand in the second pane."""
    if width < _TWO_PANES:
        return lines
    joined = ("".join(text for text, _ in line) for line in lines)
    return [[(set_cell_size(text, width // 2 - 2), "")] for text in joined]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_sentence_is_said_to_its_end_on_every_screen_that_says_it(
    width: int, height: int, language: str
) -> None:
    paper = Paper(width, height, Texts("tui", language), 1_763_800_000_000)
    track = Track("o-qb0r4vrcym", state="settled", since=1, terminal="terminal-12")
    for text in SENTENCES:
        sentence = filled(text)
        whole = sentence.said(paper.say)
        store = StoreModel(model().topics)
        store.alarms.raise_("stuck", "settlement", sentence, paper.now)
        reason = Why(sentence, paper.now, "settlement", normal=False)
        pictures = [
            left_of(picture(store, paper, up=True, broker="mqtt://127.0.0.1").lines, width),
            [row.line for row in node.whole(NodeView("settlement"), store, paper)],
            orders.why_lines(track, reason, paper),
            orders.summary(track, reason, paper),
        ]
        for lines in pictures:
            joined = told(lines)
            assert whole.replace(" ", "") in joined, (width, whole)
            assert max(map(breadth, lines)) <= width
        row = orders.row(track, reason, paper)
        assert breadth(row) <= width
        assert told([row]).endswith(whole.replace(" ", "")[-8:]), (width, whole)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_table_is_wider_than_the_terminal_and_its_first_columns_are_always_there(
    width: int, language: str
) -> None:
    paper = Paper(width, 24, Texts("tui", language), 0)
    for table in (each.TABLE for each in (node, orders, search, stock, topics, traffic)):
        cells = [("x" * 300, "")] * len(table.columns)
        row = table.row(paper, cells, [("the beginning, " + "x" * 300 + " and the end", "")])
        assert breadth(row) == width
        assert row[-1][0].startswith("the b")
        assert row[-1][0].endswith(" end")
        assert breadth(table.heading(paper)) <= width
        assert len(row) - 1 >= sum(column.rank == 0 for column in table.columns)


def test_the_least_important_column_is_left_out_first_and_spare_room_goes_to_the_first() -> None:
    table = Table((Column("a", 4, 0, most=8), Column("b", 4, 2), Column("c", 4, 1)), "said", 10)
    shown = {}
    for width in (14, 20, 25, 29):
        paper = Paper(width, 1, Texts("tui"), 0)
        shown[width] = [
            text for text, _ in table.row(paper, [(each * 9, "") for each in "abc"], [])
        ]
    assert shown == {
        14: ["aaa… "],
        20: ["aaa… ", "ccc… "],
        25: ["aaa… ", "bbb… ", "ccc… "],
        29: ["aaaaaaa… ", "bbb… ", "ccc… "],
    }


def test_what_has_no_room_loses_its_middle_and_never_its_end() -> None:
    said = "waits for sorter-2: takes the goods, and it is lost"
    assert middle_out(said, 60) == said
    assert middle_out(said, 31) == "waits for so…ds, and it is lost"
    wide = "等待分拣机取货而它已失联" * 3
    assert breadth([(middle_out(wide, 21), "")]) <= 21
    assert middle_out(wide, 21).endswith("而它已失联")
    for cells in range(4):
        assert breadth([(middle_out(said, cells), "")]) <= cells
    line = shortened([("▲ ", "bad"), (said, ""), ("  ×3", "warn")], 30)
    assert breadth(line) == 30
    assert [line[0], line[2]] == [("▲ ", "bad"), ("  ×3", "warn")]


def test_parts_that_belong_together_stay_so() -> None:
    paper = Paper(12, 5, Texts("tui"), 0)
    lines = paper.flowed(
        [("code ", "a"), ("1", "b")], [], [("two", "")], [("a very long part", "")]
    )
    assert lines == [
        [("code ", "a"), ("1", "b"), ("  ", ""), ("two", "")],
        [("a ve…ng part", "")],
    ]


def test_a_line_keeps_its_styles_where_it_is_broken() -> None:
    paper = Paper(20, 5, Texts("tui"), 0)
    lines = paper.lines([("▲ ", "bad")], [("one two three ", "x"), ("four five six", "y")])
    assert lines == [
        [("▲ ", "bad"), ("one two three ", "x"), ("four", "y")],
        [("  ", ""), ("five six", "y")],
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_an_order_that_does_not_move_says_all_of_it_at_every_size(
    size: tuple[int, int], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, store = recorded(), model()
    for at, message in heard.messages:
        store.take(at, [message])
    now = store.now + 1_000
    store.tick(now)
    reason = Why(LONGEST, now, "terminal-12", normal=False)
    monkeypatch.setattr("tui.model.store.why", lambda track, *_: None if track.final else reason)
    store.alarms.raise_("stuck", heard.stuck, LONGEST, now + 1)
    store.alarms.raise_("lost", "settlement", LONGEST, now)
    console = Console(store, lambda: now, language)
    wanted = LONGEST.said(Texts("tui", language)).replace(" ", "")

    def is_told() -> bool:
        lines = seen(console).splitlines()
        left = [set_cell_size(line, size[0] // 2 - 2) for line in lines]
        return any(
            wanted in "".join(some).translate({ord(each): None for each in "│┃ "})
            for some in (lines, left)
        )

    async with console.run_test(size=size) as pilot:
        for keys in (["1"], ["3", "home"], ["enter"], ["escape", "5"]):
            await pilot.press(*keys)
            await _settled(pilot)
            assert is_told(), (keys, seen(console))
        rows = [line.replace(" ", "") for line in seen(console).splitlines() if line[0] == "▲"]
        assert any(row.endswith(wanted[-6:]) for row in rows), "a list keeps ends, too"
        await console.push_screen(NodeScreen(console.desk, "settlement"))
        await _settled(pilot)
        await pilot.press("end")
        await _settled(pilot)
        assert is_told(), seen(console)


async def _settled(pilot: Pilot[Any]) -> None:
    """Wait until all is drawn."""
    for _ in range(2):
        await pilot.pause()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_wrong_with_the_connection_is_read_rather_than_the_names_of_the_tabs(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = FaultyBroker()
    monkeypatch.setattr(broker, "connect", Mock(side_effect=BrokerError("nobody listens")))
    console = watching(broker, language=language)
    async with console.run_test(size=(80, 24)) as pilot:
        say = Texts("tui", language)
        await shows(pilot, say("no broker at {broker}: trying again", broker="memory"))
        assert say("Store") in seen(console)
