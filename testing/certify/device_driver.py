"""Who makes the device act: commands that were given, or the person beside it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

_TO_END = 5.0
"""Seconds that a command may go on after what it was for."""
_MOST_OUTPUT = 1_000_000


class Hands(Protocol):
    """Starts the device again, and is its customer."""

    can_restart: bool
    is_patient: bool
    """Whether a person is waited for, who takes longer than a device."""

    async def start(self) -> None:
        """Start the device, if that is to be done here."""

    async def restart(self) -> None:
        """End the device without a warning and start it again."""

    async def buy(self) -> None:
        """Make a customer scan the label and buy one piece; returns at once."""

    async def bought(self) -> None:
        """The customer is done: end what still goes on of it."""

    async def take_away(self, sku: str, location: str) -> bool:
        """Leave one piece fewer at a location than a sorter is to take; whether it can be done."""

    async def jam(self) -> bool:
        """Make a sorter's machine fail at its next job; whether it can be done."""

    async def times_shown(self, text: str) -> int | None:
        """How often a customer saw the text; None if nobody knows."""

    async def close(self) -> None:
        """End what was started here."""


@dataclass(frozen=True, slots=True)
class Commands:
    """What was given on the command line, each with gaps such as `{url}`."""

    start: str | None = None
    restart: str | None = None
    buy: str | None = None
    short: str | None = None
    fault: str | None = None


class CommandHands:
    """Acts by commands; what has none is asked of a person, if there is one.

    Args:
        commands: what was given.
        gaps: what stands in the commands' gaps, by name.
        tell: says something to the person.
        has_person: whether somebody reads that and can answer.
    """

    def __init__(
        self, commands: Commands, gaps: Mapping[str, str], tell: Callable[[str], None], *,
        has_person: bool,
    ) -> None:  # fmt: skip
        self._commands, self._gaps, self._tell = commands, gaps, tell
        self._has_person = has_person
        self._device: Process | None = None
        self._customer: Process | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self.output = ""
        """What the commands printed, all together."""
        self.can_restart = bool(commands.start or commands.restart or has_person)
        self.is_patient = has_person and not commands.buy

    async def start(self) -> None:
        """Start the device, if there is a command for it."""
        if self._commands.start is not None:
            self._device = await self._spawn(self._commands.start)

    async def restart(self) -> None:
        """Kill and start it, run the command for it, or ask the person."""
        if self._commands.restart is not None:
            await (await self._spawn(self._commands.restart)).wait()
        elif self._commands.start is not None:
            await self._end(self._device, signal.SIGKILL)
            await self.start()
        else:
            self._tell(f"Switch {self._gaps['name']} off now, without a goodbye, and on again.")

    async def buy(self) -> None:
        """Run the command, or ask the person."""
        if self._commands.buy is not None:
            self._customer = await self._spawn(self._commands.buy)
        else:
            self._tell(
                f"At {self._gaps['name']}: scan {self._gaps['label']} and buy one piece of"
                f" {self._gaps['sku']}."
            )

    async def bought(self) -> None:
        """Let the command end by itself, or end it."""
        if self._customer is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TO_END):
                    await self._customer.wait()
            await self._end(self._customer, signal.SIGTERM)
            self._customer = None

    async def take_away(self, sku: str, location: str) -> bool:
        """Run the command, or ask the person."""
        return await self._spoil(
            self._commands.short, f"Leave one piece of {sku} at {location}, where two are wanted",
            {"sku": sku, "location": location},
        )  # fmt: skip

    async def jam(self) -> bool:
        """Run the command, or ask the person."""
        return await self._spoil(self._commands.fault, "See to it that it jams at its next job", {})

    async def _spoil(self, command: str | None, wish: str, gaps: Mapping[str, str]) -> bool:
        if command is not None:
            return await (await self._spawn(command, gaps)).wait() == 0
        if not self._has_person or self._commands.start:
            return False
        self._tell(f"{wish}, then press Enter; or say no.")
        answer = await asyncio.to_thread(sys.stdin.readline)
        return not answer.strip().casefold().startswith("n")

    async def times_shown(self, text: str) -> int | None:
        """Look into what was printed, or ask the person."""
        if text in self.output:
            return self.output.count(text)
        if self._has_person and not self._commands.start and not self._commands.buy:
            self._tell(f"How often did it show a reminder to collect at {text!r} so far? ")
            answer = await asyncio.to_thread(sys.stdin.readline)
            return int(answer) if answer.strip().isdecimal() else None
        return None

    async def close(self) -> None:
        """End the commands and read what they still printed."""
        for process in (self._customer, self._device):
            await self._end(process, signal.SIGTERM)
        await asyncio.gather(*self._reading, return_exceptions=True)

    async def _spawn(self, command: str, more: Mapping[str, str] | None = None) -> Process:
        for name, value in {**self._gaps, **(more or {})}.items():
            command = command.replace(f"{{{name}}}", value)
        process = await asyncio.create_subprocess_shell(
            command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT,
            start_new_session=True,  # so that all that it starts can be ended
        )  # fmt: skip
        reading = asyncio.create_task(self._read(process))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        return process

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        while chunk := await process.stdout.read(65_536):
            self.output = (self.output + chunk.decode(errors="replace"))[-_MOST_OUTPUT:]

    async def _end(self, process: Process | None, how: int) -> None:
        """End a command and all that it started."""
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            async with asyncio.timeout(_TO_END):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
