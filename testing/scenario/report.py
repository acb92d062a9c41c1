"""Prints scenarios while they are played: a line for each step."""

from rich.text import Text

from bus.history.message import Message
from bus.text.console import output
from bus.text.safe import visible
from testing.scenario.exchange import described
from testing.scenario.result import PlayedStep, ScenarioResult


class ProgressReport:
    """Prints scenarios as they are played.

    Args:
        verbose: also print every message, and what the faults did to it.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._file = ""

    def begins(self, result: ScenarioResult) -> None:
        """Print the name of a scenario; before it the file, if that is a new one."""
        file = str(result.path)
        if file != self._file:
            self._file = file
            output.print(Text(visible(file), "bold"), soft_wrap=True)
        output.print(Text(f"  {visible(result.name)}"), soft_wrap=True)

    def step(self, result: ScenarioResult, step: PlayedStep) -> None:  # noqa: ARG002 - as a Listener
        """Print a tick or a cross, the line, what was done, and how long it took."""
        failed = step.failure is not None
        line = Text("    ")
        line.append("✗" if failed else "✓", "red" if failed else "green")
        line.append(f" {step.line:>4}  ", "dim")
        line.append(f"{_time(step.seconds):>8}  ", "dim")
        line.append(visible(step.sentence))
        output.print(line, soft_wrap=True)
        if step.failure is not None:
            for each in step.failure.splitlines():
                output.print(Text(f"                     {visible(each)}", "red"), soft_wrap=True)

    def message(self, fate: str, message: Message) -> None:
        """Print a message, if `verbose` is set."""
        if self._verbose:
            what = f"{_FATES[fate]:<10} " if fate else " " * 11
            output.print(Text(f"      {what}{visible(described(message))}", "dim"), soft_wrap=True)

    def ends(self, result: ScenarioResult) -> None:
        """Print why a scenario was skipped or failed, if it was."""
        if result.skipped is not None:
            self.begins(result)
            output.print(Text(f"    - skipped: {visible(result.skipped)}", "yellow"))
        elif result.failure is not None:
            for number, each in enumerate(result.failure.splitlines()):
                output.print(
                    Text(f"    {' ' if number else '✗'} {visible(each)}", "red"), soft_wrap=True
                )
        elif result.left:
            output.print(Text(f"    · {result.left} more steps were not played", "dim"))


_FATES = {
    "drop": "lost", "duplicate": "repeated", "delay": "delayed", "reorder": "held",
    "crash": "crash at",
}  # fmt: skip


def say_total(results: list[ScenarioResult], seconds: float) -> None:
    """Print the totals, and where each failure is."""
    failed = [result for result in results if result.failed]
    skipped = sum(result.skipped is not None for result in results)
    passed = len(results) - len(failed) - skipped
    parts = [f"{passed} passed"]
    parts += [f"{len(failed)} failed"] if failed else []
    parts += [f"{skipped} skipped"] if skipped else []
    output.print()
    for result in failed:
        where = result.failed or ""
        place = where.partition("\n")[0]
        output.print(Text(f"failed  {visible(result.name)}", "red"), soft_wrap=True)
        output.print(Text(f"        {visible(place)}"), soft_wrap=True)
    style = "bold red" if failed else "bold green"
    total = f"{len(results)} scenarios: {', '.join(parts)} in {seconds:.1f} s"
    output.print(Text(total, style), soft_wrap=True)


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.1f} s"
    hours, rest = divmod(round(seconds), 3600)
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {rest // 60} min"


class SilentReport:
    """Prints nothing."""

    def begins(self, result: ScenarioResult) -> None:
        """Print nothing."""

    def step(self, result: ScenarioResult, step: PlayedStep) -> None:
        """Print nothing."""

    def message(self, fate: str, message: Message) -> None:
        """Print nothing."""

    def ends(self, result: ScenarioResult) -> None:
        """Print nothing."""
