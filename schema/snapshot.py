"""What a contract promises, as plain data without descriptions, for comparison with later ones."""

from collections.abc import Iterable
from typing import Any

from bus.contract import CHANNELS
from bus.contract.channel import Operation
from bus.contract.cloudevent import CloudEvent
from bus.contract.problem import ProblemData
from bus.contract.topics import CONTRACT_VERSION
from bus.contract.values import Model
from schema.messages import Channel, messages_of, name_of
from schema.schemas import data_schema

_WORDS = {"description", "title", "default", "$schema"}


def snapshot(channels: Iterable[Channel] = CHANNELS) -> dict[str, Any]:
    """Return all channels with their rules and the schemas of their messages."""
    return {
        "version": CONTRACT_VERSION,
        "channels": {name_of(channel): _channel(channel) for channel in channels},
        "envelope": _wordless(data_schema(CloudEvent)),
        "problem": _wordless(data_schema(ProblemData)),
    }


def _channel(channel: Channel) -> dict[str, Any]:
    messages = messages_of(channel)
    described: dict[str, Any] = {
        "qos": messages[0].qos,
        "retained": messages[0].retained,
        "messages": {message.part: _schema(message.model) for message in messages},
        "topics": {message.part: message.address for message in messages},
    }
    if isinstance(channel, Operation):
        described |= {"kind": channel.kind, "callers": sorted(channel.callers)}
    return described


def _schema(model: type[Model]) -> dict[str, Any]:
    schema: dict[str, Any] = _wordless(data_schema(model))
    return schema


def _wordless(part: Any) -> Any:
    if isinstance(part, list):
        return [_wordless(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: {name: _wordless(each) for name, each in value.items()}
        if key in ("properties", "definitions")
        else _wordless(value)
        for key, value in part.items()
        if key not in _WORDS
    }
