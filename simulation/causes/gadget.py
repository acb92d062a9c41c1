"""Devices that are not ours, with firmware of a few lines: those that misbehave are planted."""

import json
from typing import Any

from bus.contract.topics import Address
from bus.link import Incoming
from simulation.causes.scene import Scene


class Gadget:
    """A device that says what it is told to, as small firmware does.

    Args:
        scene: where.
        name: such as `sorter-9`.
        answers: by operation, the data of what it answers; what is not in it, it leaves.
    """

    def __init__(self, scene: Scene, name: str, answers: dict[str, dict[str, Any]]) -> None:
        self.name = name
        self._scene = scene
        self._answers = answers
        self._count = 0
        scene.join(name, self._hear)
        self.show("presence", status="online", boot=f"{name}-1")

    def show(self, state: str, **data: Any) -> None:
        """Show a state."""
        since = {"since": "2026-01-01T00:00:00Z"}
        self._scene.say(f"state/{self.name}/{state}", self._message(data | since), retain=True)

    def ask(self, callee: str, operation: str, data: dict[str, Any], **more: Any) -> str:
        """Ask something; `more` is put into the envelope. Returns the message's id."""
        topic = f"req/{self.name}/{callee}/{operation}"
        self._scene.say(topic, self._message(data, **more))
        return f"{self.name}-{self._count}"

    def _hear(self, message: Incoming, address: Address) -> None:
        if address.kind != "req":
            return
        event = json.loads(message.payload)
        if address.name in self._answers:
            answer = event["data"] | self._answers[address.name]
            topic = f"rep/{address.node}/{self.name}/{address.name}"
            reply = self._message(answer, correlationid=event["id"])
            self._scene.say(topic, reply, mark=False)

    def _message(self, data: dict[str, Any], **more: Any) -> bytes:
        self._count += 1
        return json.dumps({"id": f"{self.name}-{self._count}", "data": data, **more}).encode()
