"""Somebody else's tools read the published document: AsyncAPI's own parser finds nothing wrong."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from needs import require

from bus.contract import CHANNELS
from bus.contract.channel import Operation
from schema.messages import messages_of, name_of

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "docs" / "contract"
CHECK = ROOT / "tests" / "asyncapi"
WARNING = 1
"""Of the severities of a diagnostic: 0 error, 1 warning, 2 information, 3 hint."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the parser says of the published document, and of one with a fault."""
    require("node", "asyncapi-parser")
    document = json.loads((PUBLISHED / "asyncapi.json").read_text(encoding="utf-8"))
    document["operations"]["settlement.purchase"]["bindings"]["mqtt"]["qos"] = 7
    faulty = tmp_path_factory.mktemp("asyncapi") / "faulty.json"
    faulty.write_text(json.dumps(document))
    done = subprocess.run(
        ["node", CHECK / "check.mjs", PUBLISHED / "asyncapi.yaml", faulty],
        cwd=CHECK, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_reference_parser_finds_neither_errors_nor_warnings(said: Any) -> None:
    found = said[0]["diagnostics"]
    assert not [each for each in found if each["severity"] <= WARNING]
    # It is told that there is a later version of AsyncAPI; the document is to be 3.0.
    assert {each["code"] for each in found} <= {"asyncapi-latest-version"}


def test_the_reference_parser_finds_every_channel_and_every_reply(said: Any) -> None:
    messages = [message for channel in CHANNELS for message in messages_of(channel)]
    assert sorted(said[0]["channels"]) == sorted(message.address for message in messages)
    assert set(said[0]["operations"]) == {name_of(channel) for channel in CHANNELS}
    operations = {name_of(each) for each in CHANNELS if isinstance(each, Operation)}
    assert set(said[0]["replies"]) == operations


def test_the_reference_parser_would_find_a_fault(said: Any) -> None:
    assert any("qos" in each["path"] for each in said[1]["diagnostics"])


def test_the_yaml_and_the_json_are_the_same_document() -> None:
    in_yaml = yaml.safe_load((PUBLISHED / "asyncapi.yaml").read_text(encoding="utf-8"))
    in_json = json.loads((PUBLISHED / "asyncapi.json").read_text(encoding="utf-8"))
    assert in_yaml == in_json
