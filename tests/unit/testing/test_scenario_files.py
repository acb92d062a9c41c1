"""A scenario file that is wrong is told with file, line and field."""

from pathlib import Path

import pytest

from bus.contract.errors import ConfigurationError
from testing.scenario.model import Expect, Respond, Send
from testing.scenario.reading import read_scenarios

HEAD = "scenarios:\n  - scenario: One that is played\n    steps:\n"
GOOD = HEAD + "      - quiet: 1s\n"

BAD = [
    ("", 1, "is empty"),
    ("scenarios: [", 1, "is not YAML"),
    ("a: 1\na: 2\n", 2, "a is given twice"),
    ("scenarios: []\n", 1, "scenarios: List should have at least 1 item"),
    ("scenarios:\n  - scenario: One\n", 2, "steps is missing"),
    (GOOD + "colour: red\n", 5, "colour: there is no such field here"),
    (HEAD + "      - jump: high\n", 4, "a step is exactly one of send, expect"),
    (HEAD + "      - {stop: catalog, start: catalog}\n", 4, "a step is exactly one of"),
    (HEAD + "      - quiet: soon\n", 4, "quiet: is to be a time such as 300ms, 5s"),
    (HEAD + "      - quiet: 5\n", 4, "quiet: is to be a time"),
    (HEAD + "      - stop: Catalog One\n", 4, "stop: is to be a node such as sorter-1"),
    (HEAD + "      - drop: colour:red\n", 4, "drop: There is no word colour"),
    (HEAD + "      - drop: status:many\n", 4, "is not a number"),
    (HEAD + "      - drop: op:pick\n        times: 0\n", 5, "times: Input should be greater"),
    (HEAD + "      - send:\n          to: catalog\n", 4, "takes from, to and op; or a topic"),
    (HEAD + "      - send: {topic: ./a, payload: x, data: {a: 1}}\n", 4, "data or a payload"),
    (HEAD + "      - send: {topic: ./a}\n        reply: {}\n", 4, "use expect"),
    (
        HEAD
        + "      - send: {from: a-1, to: b-1, op: c}\n        reply: {}\n        problem: {}\n",
        4,
        "either a reply or a problem",
    ),
    (
        HEAD + "      - expect:\n          data:\n            a: {$like: b}\n",
        6,
        "there is no $like",
    ),
    (HEAD + "      - expect:\n          id: {$regex: '('}\n", 5, "is not a regular expression"),
    (HEAD + "      - expect:\n          id: {$min: much}\n", 5, "$min takes a number"),
    (HEAD + "      - expect: {id: {$any: true, a: 1}}\n", 4, "either fields or operators"),
    (HEAD + "      - expect: {id: '${nobody}'}\n", 4, "there is no variable nobody here yet"),
    (
        HEAD + "      - send: {from: terminal-1, to: catalog, op: serch}\n",
        4,
        "send.op: there is no operation of catalog serch: did you mean search? =serch insists. It",
    ),
    (
        HEAD + "      - send:\n          from: terminal-1\n          to: catalogue\n"
        "          op: search\n",
        6,
        "send.to: there is no node catalogue: did you mean catalog? =catalogue insists.",
    ),
    (
        HEAD + "      - send: {from: termnal-1, to: catalog, op: search}\n",
        4,
        "send.from: there is no node termnal-1: did you mean terminal-1?",
    ),
    (
        HEAD + "      - send: {from: terminal-1, to: catalog, op: search}\n        reply: yes\n",
        5,
        "reply: takes what stands in the answer, such as {state: settled}; {} is any.",
    ),
    (
        HEAD + "      - send: {from: terminal-1, to: catalog, op: lookup}\n"
        "        problem: {code: unknown-lable}\n",
        5,
        "problem.code: there is no code of a problem unknown-lable: did you mean unknown-label?",
    ),
    (
        HEAD + "      - send: {from: terminal-1, to: catalog, op: search}\n        problem: []\n",
        5,
        "problem: takes what stands in the answer, such as {code: sold-out}; {} is any.",
    ),
    (
        HEAD + "      - send: {topic: req/terminal-1/catalog/search}\n",
        4,
        "is outside the store's site: write ./req/terminal-1/catalog/search.",
    ),
    (
        HEAD + "      - respond: {as: sorter-9, op: pik, data: {}}\n",
        4,
        "respond.op: there is no operation of sorter-9 pik: did you mean pick?",
    ),
    (
        HEAD + "      - respond: {as: sorta-9, op: pick, data: {}}\n",
        4,
        "respond.as: there is no node sorta-9: did you mean sorter-9?",
    ),
    (
        HEAD + "      - expect: {op: remnd}\n",
        4,
        "expect.op: there is no operation, state or event remnd: did you mean remind?",
    ),
    (HEAD + "      - expect: {kind: reply}\n", 4, "expect.kind: there is no kind of message reply"),
    (
        HEAD + "      - expect: {to: {$in: [catalog, door]}}\n",
        4,
        "expect.to: there is no node door",
    ),
    (
        HEAD + "      - expect none: {code: soldout}\n",
        4,
        "expect none.code: there is no code of a problem soldout: did you mean sold-out?",
    ),
    (
        HEAD + "      - crash: warehose\n",
        4,
        "crash: there is no node of a store warehose: did you mean warehouse?",
    ),
    (HEAD + "      - start: console-1\n", 4, "start: there is no node of a store console-1"),
    (
        HEAD + "      - drop: op:remnd\n",
        4,
        "drop: The contract has no op:remnd: did you mean op:rem",
    ),
    (
        HEAD + "      - expect none: {kind: req, op: remind, data: {ordr: o-1}}\n",
        4,
        "expect none.data.ordr: there is no field ordr: did you mean order? =ordr insists.",
    ),
    (
        HEAD + "      - expect none: {kind: event, op: order-changed, data: {state: settld}}\n",
        4,
        "expect none.data.state: is never settld, but reserving, charging, settled",
    ),
    (
        HEAD + "      - expect: {op: purchase, data: {lines: [{sku: X, quantty: 2}]}}\n",
        4,
        "expect.data.lines.0.quantty: there is no field quantty: did you mean quantity?",
    ),
    (
        HEAD + "      - send: {from: terminal-1, to: catalog, op: lookup}\n"
        "        reply:\n          prodct: {id: mug}\n",
        6,
        "reply.prodct: there is no field prodct: did you mean product?",
    ),
    (HEAD + "      - clock: +3d\n", 4, "only a store with `clock: virtual` has one"),
    (HEAD + "      - clock: tomorrow\n", 4, "clock: is to be how far, such as +3d"),
    (HEAD + "      - calm: a bit\n", 4, "calm: Input should be 'everything'"),
    (GOOD + "    cases: [{a: 1}, {b: 2}]\n", 5, "not every case has a, b"),
    (GOOD + "    goods: {MUG: many}\n", 5, "goods.MUG"),
    (GOOD + "    goods: {MUG: {gtin: '123'}}\n", 5, "a GTIN has 8, 12, 13 or 14 digits"),
    (GOOD + "    store: {clock: virtual, cards: true}\n", 2, "a simulated store takes no cards"),
    ("a: &a [*a]\n", 1, "is too deep or too large"),
    ("a: !!python/object:os.system x\n", 1, "cannot be read here"),
]


@pytest.mark.parametrize(("text", "line", "why"), BAD, ids=lambda value: str(value)[-40:])
def test_a_mistake_is_told_with_its_line_and_field(
    tmp_path: Path, text: str, line: int, why: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        read_scenarios([path])
    said = str(error.value)
    assert said.startswith(f"{path}:{line}: "), said
    assert why in said


def test_a_file_that_is_not_there_or_not_text_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    for path, why in (
        (tmp_path / "none.yaml", "cannot be read"),
        (tmp_path / "bytes.yaml", "is not UTF-8 text"),
        (_made(tmp_path / "folder"), "has no scenarios"),
    ):
        with pytest.raises(ConfigurationError, match=why):
            read_scenarios([path])


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_digits_times_and_words_stay_text_and_numbers_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(
        GOOD + "    variables: {a: 0040170725, b: no, c: 12:30, d: 2026-01-01, e: 7, f: true}\n"
    )
    (scenario,) = read_scenarios([path])
    assert scenario.variables == {
        "a": "0040170725", "b": "no", "c": "12:30", "d": "2026-01-01", "e": 7, "f": True,
    }  # fmt: skip


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD + "      - stop: catlog\n      - calm: a bit\n")
    (tmp_path / "b.yaml").write_text(HEAD + "      - stop: catlog\n      - start: sortr-1\n")
    (tmp_path / "good.yaml").write_text(GOOD)
    with pytest.raises(ConfigurationError) as error:
        read_scenarios([tmp_path])
    places = [line.split(": ")[0] for line in str(error.value).splitlines()]
    assert places == [f"{tmp_path}/a.yaml:5", f"{tmp_path}/b.yaml:4", f"{tmp_path}/b.yaml:5"]


def test_who_insists_may_name_what_the_contract_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        HEAD + "      - respond: {as: =door-1, op: =dance, data: {}}\n"
        "      - send: {from: =door-2, to: =door-1, op: =dance}\n        reply: {}\n"
        "      - send: {from: terminal-1, to: sorter-9, op: =dance}\n"
        "        problem: {code: =too-tired}\n"
        "      - expect: {to: {$in: [=door-1, sorter-9]}, op: =dance, kind: rep}\n"
        "      - expect: {op: order-changed, data: {=colour: red, state: {$is: odd}}}\n"
        "      - expect: {op: purchase, kind: rep, data: {code: sold-out, available: {}}}\n"
    )
    ((respond, asked, refused, expected, *_),) = (each.steps for each in read_scenarios([path]))
    assert isinstance(respond.does, Respond)
    assert (respond.does.respond.node, respond.does.respond.op) == ("door-1", "dance")
    assert isinstance(asked.does, Send)
    assert (asked.does.send.sender, asked.does.send.to) == ("door-2", "door-1")
    assert isinstance(refused.does, Send)
    assert refused.does.problem == {"code": "too-tired"}
    assert isinstance(expected.does, Expect)
    assert expected.does.expect.to == {"$in": ["door-1", "sorter-9"]}


def test_a_scenario_adds_to_what_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(
        "goods: {MUG: 5, CUP: {price: 700}}\nvariables: {a: 1}\nstore: {sorters: 2}\n" + GOOD
        + "    goods: {MUG: 1}\n    variables: {b: 2}\n"
    )  # fmt: skip
    (scenario,) = read_scenarios([path])
    assert {name: goods.pieces for name, goods in scenario.goods.items()} == {"MUG": 1, "CUP": 10}
    assert scenario.goods["CUP"].price == 700
    assert scenario.variables == {"a": 1, "b": 2}
    assert scenario.store.sorters == 2
    assert [step.line for step in scenario.steps] == [7]
