"""The report of a certification: on a terminal, and as Markdown, HTML or JSON for the builder."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from bus.contract.errors import ConfigurationError
from bus.contract.timestamp import rfc3339
from bus.storage.private import write_text
from bus.text.safe import decoded, visible
from testing.certify.observing_relay import ObservedMessage
from testing.certify.verdicts import RuleVerdict, Violation, passed

_LONGEST = 600
"""Characters of a message that are shown."""
_STYLES = {"kept": "green", "broken": "red", "not tried": "dim"}

Report = dict[str, Any]


def report(device: str, at: int, verdicts: Sequence[RuleVerdict]) -> Report:
    """The whole report on a device, as JSON."""
    return {
        "device": device,
        "at": rfc3339(at),
        "passed": passed(verdicts),
        "rules": [_rule(each) for each in verdicts],
    }


def _rule(verdict: RuleVerdict) -> dict[str, Any]:
    rule = verdict.rule
    found: dict[str, Any] = {
        "id": rule.id, "level": rule.level, "rule": f"It {rule.sentence}", "why": rule.why,
        "shown_by": rule.shown, "outcome": verdict.outcome,
    }  # fmt: skip
    if verdict.reason:
        found["reason"] = verdict.reason
    if verdict.violations:
        found["findings"] = [_violation(each) for each in verdict.violations]
    return found


def _violation(violation: Violation) -> dict[str, Any]:
    return {"text": violation.sentence, "messages": [_message(each) for each in violation.messages]}


def _message(message: ObservedMessage) -> dict[str, Any]:
    payload = decoded(message.incoming.payload[: 2 * _LONGEST])
    if len(message.incoming.payload) > 2 * _LONGEST or len(payload) > _LONGEST:
        payload = f"{payload[:_LONGEST]}... ({len(message.incoming.payload)} bytes)"
    return {
        "from": "device" if message.by_device else "store",
        "topic": message.incoming.topic,
        "retain": message.incoming.retain,
        "payload": payload,
    }


def as_table(found: Report) -> Table:
    """The rules and their outcomes, for a terminal."""
    table = Table("", "", f"{found['device']} ...", "", title_justify="left")
    for rule in found["rules"]:
        outcome = rule["outcome"]
        table.add_row(
            rule["id"], rule["level"], rule["rule"].removeprefix("It "),
            Text(outcome, style=_STYLES[outcome]),
        )  # fmt: skip
    return table


def as_lines(found: Report) -> list[str]:
    """What was broken with the messages that show it, what was not tried, and a summary."""
    lines = []
    for rule in found["rules"]:
        for violation in rule.get("findings", ()):
            lines.append(f"{rule['id']} {rule['outcome']}: {violation['text']}")
            lines += [f"    {_said(each)}" for each in violation["messages"]]
    for rule in found["rules"]:
        if rule["outcome"] == "not tried":
            lines.append(f"{rule['id']} not tried: {rule['reason']}.")
    return [visible(line) for line in [*lines, summary(found)]]


def _said(message: dict[str, Any]) -> str:
    retained = " (retained)" if message["retain"] else ""
    return visible(f"{message['from']} to {message['topic']}{retained}: {message['payload']}")


def summary(found: Report) -> str:
    """The summary, in one sentence."""
    counts = Counter((rule["level"], rule["outcome"]) for rule in found["rules"])
    musts = counts["must", "broken"]
    verdict = "keeps every must that was tried" if found["passed"] else f"breaks {musts} must(s)"
    untried = counts["must", "not tried"] + counts["advice", "not tried"]
    return (
        f"{found['device']} {verdict}; {counts['advice', 'broken']} piece(s) of advice not"
        f" followed, {untried} rule(s) not tried."
    )


def as_markdown(found: Report) -> str:
    """The report as Markdown, for an issue or a mail."""
    parts = [f"# {found['device']}: certification of {found['at']}\n", f"{summary(found)}\n"]
    parts.append("| | | the device | |\n|---|---|---|---|")
    for rule in found["rules"]:
        outcome = rule["outcome"] if rule["outcome"] != "broken" else "**broken**"
        sentence = rule["rule"].removeprefix("It ")
        parts.append(f"| {rule['id']} | {rule['level']} | {sentence} | {outcome} |")
    for rule in found["rules"]:
        if "findings" in rule:
            parts.append(f"\n## {rule['id']}: {rule['rule']}\n\nBecause: {rule['why']}.\n")
            parts += [_markdown_violation(each) for each in rule["findings"]]
        elif "reason" in rule:
            parts.append(f"\n{rule['id']} was not tried: {rule['reason']}.")
    return "\n".join(parts) + "\n"


def _markdown_violation(violation: dict[str, Any]) -> str:
    messages = "\n".join(f"    {_said(each)}" for each in violation["messages"])
    return f"{visible(violation['text'])}\n\n{messages}\n"


def as_html(found: Report) -> str:
    """The report as one HTML page without further files."""
    rows, details = [], []
    for rule in found["rules"]:
        sentence, outcome = escape(rule["rule"].removeprefix("It ")), rule["outcome"]
        rows.append(
            f'<tr class="{outcome.split()[0]}"><td>{rule["id"]}<td>{rule["level"]}'
            f"<td>{_code(sentence)}<td>{outcome}"
        )
        if "findings" in rule:
            details.append(f"<h2>{rule['id']}: {_code(escape(rule['rule']))}</h2>")
            details.append(f"<p>Because: {_code(escape(rule['why']))}.</p>")
            for violation in rule["findings"]:
                details.append(f"<p>{escape(visible(violation['text']))}</p>")
                details += [f"<pre>{escape(_said(each))}</pre>" for each in violation["messages"]]
        elif "reason" in rule:
            details.append(f"<p>{rule['id']} was not tried: {escape(rule['reason'])}.</p>")
    return _PAGE.format(
        device=escape(found["device"]), at=found["at"], summary=escape(summary(found)),
        rows="\n".join(rows), details="\n".join(details),
    )  # fmt: skip


def _code(text: str) -> str:
    """Text with `...` marked as code."""
    parts = text.split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{device}: certification</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
padding: 0 1rem }}
table {{ border-collapse: collapse }} td {{ border-top: 1px solid #ccc; padding: .3rem .6rem;
vertical-align: top }} pre {{ white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4;
padding: .6rem }} .kept td:last-child {{ color: #060 }} .not td:last-child {{ color: #666 }}
.broken td:last-child {{ color: #b00; font-weight: bold }}
</style>
<h1>{device}</h1>
<p>Certification of {at}. {summary}</p>
<table>
{rows}
</table>
{details}
</html>
"""
_WRITERS: dict[str, Callable[[Report], str]] = {
    ".md": as_markdown,
    ".html": as_html,
    ".json": lambda found: json.dumps(found, ensure_ascii=False, indent=2) + "\n",
}


def require_format(file: Path) -> None:
    """Check that the file's name says in which format to write the report.

    Raises:
        ConfigurationError: it does not.
    """
    if file.suffix not in _WRITERS:
        raise ConfigurationError("--report takes a file that ends with .md, .html or .json.")


def write_report(found: Report, file: Path) -> None:
    """Write the report in the format that the file's name says.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        write_text(file, _WRITERS[file.suffix](found))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from error
