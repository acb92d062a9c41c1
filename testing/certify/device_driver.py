"""Makes the device act: by the commands that were given, or by asking the person beside it."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass
from typing import Protocol

_TO_END = 5.0
"""Seconds that a command may go on after what it was for."""
_MOST_OUTPUT = 1_000_000


class DeviceDriver(Protocol):
    """Starts and restarts the device, and acts as its customer."""

    can_restart: bool
    is_person: bool
    """Whether a person acts, who takes longer than a command."""

    async def start(self) -> None:
        """Start the device, if it is started here."""

    async def restart(self) -> None:
        """Kill the device and start it again."""

    async def buy(self) -> None:
        """Make a customer scan the label and buy one piece; return at once."""

    async def end_purchase(self) -> None:
        """End what is left of the customer's purchase."""

    async def remove_piece(self, sku: str, location: str) -> bool:
        """Leave one piece fewer at a location than a sorter needs; return whether it was done."""

    async def jam(self) -> bool:
        """Make a sorter's machine fail at its next job; return whether it was done."""

    async def times_shown(self, text: str) -> int | None:
        """How often a customer saw the text; None if that is not known."""

    async def close(self) -> None:
        """End what was started here."""


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands that were given, each with variables such as `${url}`."""

    start: str | None = None
    restart: str | None = None
    buy: str | None = None
    short: str | None = None
    fault: str | None = None


_OLD_VARIABLE = re.compile(r"(?<!\$)\{(url|host|port|site|name|label|sku|gtin|location)\}")


def old_variable(commands: Commands) -> str | None:
    """The first variable that is written as in version 0.1, such as `url` in `{url}`."""
    for command in astuple(commands):
        found = _OLD_VARIABLE.search(command or "")
        if found is not None:
            return found[1]
    return None


class CommandDriver:
    """Runs commands; where there is none, asks a person, if there is one.

    Args:
        commands: what was given.
        variables: what the commands' variables stand for, by name.
        tell: shows the person a sentence.
        has_person: whether a person reads it and can answer.
    """

    def __init__(
        self, commands: Commands, variables: Mapping[str, str], tell: Callable[[str], None], *,
        has_person: bool,
    ) -> None:  # fmt: skip
        self._commands, self._variables, self._tell = commands, variables, tell
        self._has_person = has_person
        self._device: Process | None = None
        self._customer: Process | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self.output = ""
        """What the commands have printed, in order."""
        self.can_restart = bool(commands.start or commands.restart or has_person)
        self.is_person = has_person and not commands.buy

    async def start(self) -> None:
        """Start the device, if there is a command for it."""
        if self._commands.start is not None:
            self._device = await self._spawn(self._commands.start)

    async def start_failed(self) -> int:
        """Wait until the command that starts the device fails, and return its exit code.

        A command that ends with 0 may have left the device running.
        """
        code = 0 if self._device is None else await self._device.wait()
        if not code:
            await asyncio.get_running_loop().create_future()
        return code

    async def restart(self) -> None:
        """Kill and start it, run the command for it, or ask the person."""
        if self._commands.restart is not None:
            await (await self._spawn(self._commands.restart)).wait()
        elif self._commands.start is not None:
            await self._end(self._device, signal.SIGKILL)
            await self.start()
        else:
            self._tell(
                f"Switch {self._variables['name']} off now, without a goodbye, and on again."
            )

    async def buy(self) -> None:
        """Run the command, or ask the person."""
        if self._commands.buy is not None:
            self._customer = await self._spawn(self._commands.buy)
        else:
            self._tell(
                f"At {self._variables['name']}: scan {self._variables['label']} and buy one piece"
                f" of {self._variables['sku']}."
            )

    async def end_purchase(self) -> None:
        """Wait a moment for the command to end, then end it."""
        if self._customer is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TO_END):
                    await self._customer.wait()
            await self._end(self._customer, signal.SIGTERM)
            self._customer = None

    async def remove_piece(self, sku: str, location: str) -> bool:
        """Run the command, or ask the person."""
        return await self._run_or_ask(
            self._commands.short, f"Leave one piece of {sku} at {location}, where two are wanted",
            {"sku": sku, "location": location},
        )  # fmt: skip

    async def jam(self) -> bool:
        """Run the command, or ask the person."""
        return await self._run_or_ask(
            self._commands.fault, "See to it that it jams at its next job", {}
        )

    async def _run_or_ask(
        self, command: str | None, wish: str, variables: Mapping[str, str]
    ) -> bool:
        if command is not None:
            return await (await self._spawn(command, variables)).wait() == 0
        if not self._has_person or self._commands.start:
            return False
        self._tell(f"{wish}, then press Enter; or say no.")
        answer = await asyncio.to_thread(sys.stdin.readline)
        return not answer.strip().casefold().startswith("n")

    async def times_shown(self, text: str) -> int | None:
        """Search what was printed, or ask the person."""
        if text in self.output:
            return self.output.count(text)
        if self._has_person and not self._commands.start and not self._commands.buy:
            self._tell(f"How often did it show a reminder to collect at {text!r} so far? ")
            answer = await asyncio.to_thread(sys.stdin.readline)
            return int(answer) if answer.strip().isdecimal() else None
        return None

    async def close(self) -> None:
        """End the commands, and read the rest of what they print."""
        for process in (self._customer, self._device):
            await self._end(process, signal.SIGTERM)
        await asyncio.gather(*self._reading, return_exceptions=True)

    async def _spawn(self, command: str, more: Mapping[str, str] | None = None) -> Process:
        values = {**self._variables, **(more or {})}
        pattern = rf"\$?\{{({'|'.join(map(re.escape, values))})\}}"
        command = re.sub(pattern, lambda use: values[use[1]], command)
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
