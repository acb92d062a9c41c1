"""A device builder reads docs/contract: it is complete, true, and as the code has it."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from judge import PUBLISHED, cloud_event, faults, published

from bus.contract import CHANNELS
from bus.contract.channel import Operation
from bus.contract.errors import ConfigurationError
from bus.contract.problem import COMMON_PROBLEMS
from bus.contract.refusals import problems
from bus.history.recording import Recorded, read_recording
from bus.link import Outgoing
from cli.main import main
from schema.document import document
from schema.examples import DATA, PROBLEMS, example, problem_example
from schema.messages import messages_of
from schema.published import RELEASED, release, stale, write
from schema.schemas import definitions

MESSAGES = {message.name: message for channel in CHANNELS for message in messages_of(channel)}
PURCHASED = example(MESSAGES["settlement.purchase.reply"])
RENEW = "storebus asyncapi --out docs/contract"
RECORDED = Path(__file__).parents[2] / "ui" / "recorded.jsonl"


def test_the_published_contract_is_that_of_the_code() -> None:
    assert not stale(PUBLISHED), f"The published contract is stale; renew it with: {RENEW}"


def test_what_is_stale_is_named_and_renewed(tmp_path: Path) -> None:
    write(tmp_path)
    assert not stale(tmp_path)
    (tmp_path / "contract.md").write_text("old")
    (tmp_path / "schemas" / "catalog.lookup.reply.json").unlink()
    (tmp_path / "schemas" / "catalog.dance.request.json").write_text("{}")
    assert stale(tmp_path) == [
        "contract.md",
        "schemas/catalog.dance.request.json",
        "schemas/catalog.lookup.reply.json",
    ]
    write(tmp_path)
    assert not stale(tmp_path)


def test_every_field_and_every_message_says_what_it_means() -> None:
    schemas = definitions([message.model for message in MESSAGES.values()], "#/")
    silent = [
        f"{model}.{name}"
        for model, schema in schemas.items()
        for name, field in schema.get("properties", {}).items()
        if not field.get("description")
    ]
    assert not silent, "Say what they mean, in a text below the field or in its type."
    assert all(schema["description"] for schema in schemas.values())


def test_every_message_has_an_example_and_a_schema_of_its_own() -> None:
    assert DATA.keys() == MESSAGES.keys()
    files = {path.stem for path in (PUBLISHED / "schemas").glob("*.json")}
    assert files == MESSAGES.keys() | {"envelope", "problem"}


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_an_example_is_a_message_as_the_store_reads_it_and_as_it_is_published(name: str) -> None:
    message = MESSAGES[name]
    event = example(message)
    assert message.model.model_validate(DATA[name]).model_dump(mode="json") == event["data"]
    assert not [*published(name).iter_errors(event), *cloud_event().iter_errors(event)]
    alone = json.loads((PUBLISHED / "schemas" / f"{name}.json").read_text())
    Draft7Validator.check_schema(alone)
    assert not list(Draft7Validator(alone).iter_errors(event["data"]))


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_an_example_of_a_problem_is_as_it_is_published(code: str) -> None:
    event = problem_example(code)
    assert not [*published("problem").iter_errors(event), *cloud_event().iter_errors(event)]


def test_the_published_schema_refuses_what_the_store_refuses() -> None:
    wrong = {"id": "1", "data": {"code": "48"}}
    assert list(published("settlement.collect.request").iter_errors(wrong))
    assert not list(published("settlement.collect.request").iter_errors(
        {"id": "1", "data": {"code": "482913"}}
    ))  # fmt: skip
    incomplete = {"id": "1", "data": {"order": "o-1", "state": "collected"}}
    assert list(published("settlement.collect.reply").iter_errors(incomplete))


def test_the_problems_of_an_operation_are_known_and_its_own() -> None:
    codes = {kind.code for kind in problems()}
    assert codes >= COMMON_PROBLEMS
    for channel in CHANNELS:
        if isinstance(channel, Operation):
            assert channel.problems <= codes - COMMON_PROBLEMS, channel.name


def test_every_problem_but_those_of_the_askers_side_is_an_operations_or_any_ones() -> None:
    declared = {code for each in CHANNELS if isinstance(each, Operation) for code in each.problems}
    assert {kind.code for kind in problems()} - declared - COMMON_PROBLEMS == {
        "no-answer",
        "unknown-callee",
    }


def test_the_page_names_each_topic_field_problem_and_caller() -> None:
    page = (PUBLISHED / "contract.md").read_text(encoding="utf-8")
    for message in MESSAGES.values():
        assert f"`{message.address}`" in page
        assert json.dumps(example(message), indent=1, ensure_ascii=False) in page
        for field in message.model.model_fields:
            assert f"| `{field}` |" in page
    for kind in problems():
        assert f"| `{kind.code}` | {kind.status} |" in page


def test_operations_say_how_they_are_to_be_sent() -> None:
    purchase = document()["operations"]["settlement.purchase"]
    assert purchase["action"] == "receive"
    assert purchase["bindings"]["mqtt"] == {
        "qos": 1,
        "retain": False,
        "bindingVersion": "0.2.0",
        "messageExpiryInterval": 60,
    }
    assert purchase["x-storebus-callers"] == ["terminal"]
    channels = document()["channels"]
    reply = channels[purchase["reply"]["channel"]["$ref"].rpartition("/")[2]]
    assert reply["address"] == "storebus/1/{site}/rep/{caller}/settlement/purchase"
    pick = document()["operations"]["sorter.pick"]
    assert pick["action"] == "send"
    will = document()["servers"]["store"]["bindings"]["mqtt"]["lastWill"]
    assert (will["topic"], will["retain"]) == ("storebus/1/{site}/state/{node}/presence", True)


def test_the_command_prints_and_writes_what_is_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["asyncapi", *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    assert told()[:2] == (0, (PUBLISHED / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert told("--json")[:2] == (0, (PUBLISHED / "asyncapi.json").read_text(encoding="utf-8"))
    assert told("--release")[0] == 2
    assert told("--out", str(tmp_path))[0] == 0
    assert not stale(tmp_path)
    release(tmp_path)
    released = json.loads((tmp_path / RELEASED).read_text())
    released["channels"]["catalog.dance"] = released["channels"]["catalog.lookup"]
    (tmp_path / RELEASED).write_text(json.dumps(released))
    for options in ((), ("--release",)):
        code, _, err = told("--out", str(tmp_path), *options)
        assert code == 2
        assert "catalog.dance: it was removed." in err
        assert "contract version 2" in err
    assert "catalog.dance" in (tmp_path / RELEASED).read_text()
    (tmp_path / "file").write_text("")
    assert told("--out", str(tmp_path / "file"))[0] == 2
    assert "--out docs/contract" in told("--help")[1]


def test_a_message_without_an_example_is_named_with_where_to_give_it_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(DATA, "catalog.lookup.reply")
    why = r"catalog\.lookup\.reply has no example: .* schema/examples\.py"
    with pytest.raises(ConfigurationError, match=why):
        example(MESSAGES["catalog.lookup.reply"])


def test_a_recorded_day_is_as_it_is_published() -> None:
    heard = [entry.message for entry in read_recording(RECORDED) if isinstance(entry, Recorded)]
    assert len(heard) > 100
    assert not [f"{message.topic}: {fault}" for message in heard for fault in faults(message)]


def sent(topic: str, event: Any, qos: int = 1) -> list[str]:
    """What the judge says of a message of ours below the site's root."""
    return faults(Outgoing(f"storebus/1/main/{topic}", json.dumps(event).encode(), qos))


def test_what_a_node_sends_otherwise_than_published_is_found() -> None:
    topic, good = "rep/terminal-7/settlement/purchase", PURCHASED
    assert sent(topic, good) == []
    assert sent(topic, good, qos=0) == ["it was published with QoS 0, retain False"]
    assert sent(topic, {**good, "time": None}) == ["`time` is missing"]
    assert "'noon' is not a 'date-time'" in sent(topic, {**good, "time": "noon"})[0]
    assert "the source is /main/catalog" in sent(topic, {**good, "source": "/main/catalog"})
    data = {**good["data"], "pickup_code": "48"}
    assert any("data.pickup_code" in each for each in sent(topic, {**good, "data": data}))
    assert sent("event/catalog/danced", good, qos=0) == ["the contract knows no such channel"]
    refused = problem_example("sold-out")
    assert sent(topic, refused) == []
    collect = {**refused, "type": "storebus.settlement.collect.problem"}
    found = sent("rep/terminal-7/settlement/collect", collect)
    assert found == ["settlement collect does not declare sold-out"]
