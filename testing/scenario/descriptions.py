"""Describes a step in one line."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bus.text.safe import short
from testing.kit.template import UnknownVariableError, filled
from testing.scenario import model

_WIDTH = 110
_KINDS = {"req": "request", "rep": "answer"}


def describe(does: model.AnyStep, variables: Mapping[str, Any]) -> str:
    """Describe a step, with the values of its variables as far as they are set."""
    text = does.note or _said(does)
    with suppress(UnknownVariableError):  # the step itself will say so
        text = str(filled(text, variables))
    return short(text, _WIDTH)


def _said(does: model.AnyStep) -> str:
    match does:
        case model.Send(send=draft):
            return _sent(does, draft)
        case model.Expect(expect=pattern):
            return f"expect {_pattern(pattern)}"
        case model.ExpectNone(expect_none=pattern):
            return f"expect no {_pattern(pattern)}"
        case _:
            said = does.says.format(
                **{name: getattr(does, name) for name in type(does).model_fields}
            )
    if isinstance(does, model.Crash) and does.when is not None:
        said += f" as soon as {does.when}"
    times = getattr(does, "times", None)
    return said if times is None else f"{said} ({times}×)"


def _sent(does: model.Send, draft: model.MessageDraft) -> str:
    if draft.topic is not None:
        return f"send to {draft.topic}"
    said = f"{draft.sender} → {draft.to} {draft.op}"
    if does.problem is not None:
        code = does.problem.get("code") if isinstance(does.problem, dict) else None
        return f"{said} is refused{f': {code}' if isinstance(code, str) else ''}"
    return said if does.reply is None else f"{said} is answered"


def _pattern(pattern: model.MessagePattern) -> str:
    wanted = pattern.model_dump(by_alias=True, exclude_unset=True)
    plain = {name: value for name, value in wanted.items() if isinstance(value, str)}
    kind = plain.get("kind", "")
    parts = [plain.get("op", "message"), _KINDS.get(kind, kind)]
    parts += [f"{name} {plain[name]}" for name in ("from", "to", "code") if name in plain]
    data = wanted.get("data")
    if isinstance(data, dict):
        parts += [
            f"{name} {value}"
            for name, value in data.items()
            if isinstance(value, str | int) and not name.startswith("$")
        ]
    return " ".join(part for part in parts if part)
