"""`storebus play`: plays scenarios in stores of their own, or in one that runs already."""

import re
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from broker.engine import running_broker
from broker.settings import BrokerSettings
from bus.contract.errors import ConfigurationError
from bus.history.archive import Archive
from bus.link import MqttConnector
from bus.text.console import output
from cli import options
from cli.run import require_folder, run
from store.exit_codes import REFUSED
from store.settings import Settings, read_settings
from testing.kit.show import warn
from testing.kit.template import OLD_REPLY_SYNTAX
from testing.scenario.from_recording import scenario_of_order
from testing.scenario.junit import write_junit
from testing.scenario.reading import Scenario, first_old_syntax, read_scenarios
from testing.scenario.report import Report, say_total
from testing.scenario.result import ScenarioResult
from testing.scenario.runner import PlayTarget
from testing.scenario.runner import play as play_one

LARGEST = 128 * 1024
"""Bytes of a payload that a scenario may send: more than the bus takes."""


def play(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Scenarios in YAML, or folders of them."),
    ] = None,
    recordings: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="RECORDING",
            help="Make a scenario of an order of this recording, and play it; may be repeated.",
        ),
    ] = None,
    order: Annotated[
        str | None, typer.Option(metavar="ORDER", help="Which order of the recording.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where that scenario is written; ORDER.yaml if none."),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option("--engine", metavar="E", help="auto, mosquitto or embedded: its own broker."),
    ] = None,
    broker: Annotated[
        str | None,
        typer.Option("--broker", metavar="URL", help="Play in the store that runs there."),
    ] = None,
    site: options.Site = None,
    only: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only scenarios with this in their name.")
    ] = None,
    first: Annotated[bool, typer.Option("--first", help="End at the first that fails.")] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a JUnit report.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every message, too.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Read the files, and play nothing.")
    ] = False,
) -> None:
    """Play scenarios: messages that are sent, expected, lost, delayed; nodes that crash.

    Each scenario gets a store of its own that is started for it, on one broker; with --broker it
    is played in a store that runs, where nothing can be crashed or lost. Ends with 1 if one fails.
    docs/scenarios.md says what a file can say.

    Example: storebus play tests/scenarios --engine mosquitto --junit report.xml
    Example: storebus play --from monday.jsonl --order o-4fmmjyzje4 --write lost-answer.yaml
    """
    settings = read_settings(site=site)
    _check_ground(engine, broker)
    if junit is not None:
        require_folder(junit)
    if recordings is not None:
        if order is None or files:
            raise ConfigurationError("--from takes a recording and --order, and no other FILE.")
        files = [_written(recordings, site, order, write or Path(f"{_plain(order)}.yaml"))]
    elif order is not None or write is not None or not files:
        raise ConfigurationError("Give scenarios to play, or --from RECORDING --order ORDER.")
    scenarios = _chosen(read_scenarios(files), only)
    if (where := first_old_syntax(scenarios)) is not None:
        warn(f"{where}: {OLD_REPLY_SYNTAX}")
    if broker is not None:
        _refuse_own(scenarios)
    if check:
        output.print(f"{len(scenarios)} scenarios can be played.")
        return
    begun = time.monotonic()
    results: list[ScenarioResult] = []
    try:
        run(_play(scenarios, engine, broker, settings, results, first=first, verbose=verbose))
    finally:
        if junit is not None and results:
            write_junit(junit, results)
    say_total(results, time.monotonic() - begun)
    if any(result.failed for result in results):
        raise SystemExit(REFUSED)


def _check_ground(engine: str | None, broker: str | None) -> None:
    if engine not in (None, "auto", "mosquitto", "embedded"):
        raise ConfigurationError("--engine takes auto, mosquitto or embedded.")
    if engine is not None and broker is not None:
        raise ConfigurationError("Give --engine or --broker: a store of its own, or one that runs.")


def _written(recordings: list[Path], site: str | None, order: str, file: Path) -> Path:
    """Write the scenario of an order of a recording.

    Raises:
        ConfigurationError: the recording does not have it, or the file is there already.
    """
    generated = scenario_of_order(Archive(recordings), site, order)
    origin = f"the order {order} in {', '.join(path.name for path in recordings)}"
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(generated.to_yaml(origin))
    except FileExistsError:
        raise ConfigurationError(
            f"{file} is there already: --write names another, or play it: storebus play {file}"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from error
    output.print(f"Written to {file}: {generated.steps} steps.", soft_wrap=True)
    if generated.left_out:
        names = ", ".join(f"{count} {name}" for name, count in generated.left_out.most_common())
        output.print(f"What a store without faults need not say is left out: {names}.")
    return file


def _plain(order: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", order).lstrip(".") or "order"


def _chosen(scenarios: list[Scenario], only: str | None) -> list[Scenario]:
    if only is None:
        return scenarios
    chosen = [each for each in scenarios if only.casefold() in each.name.casefold()]
    if not chosen:
        raise ConfigurationError(f"No scenario has {only!r} in its name.")
    return chosen


def _refuse_own(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        why = scenario.own_store
        if why is not None:
            raise ConfigurationError(
                f"{why} only in a store that is started here, without --broker."
            )


async def _play(
    scenarios: list[Scenario], engine: str | None, broker: str | None, settings: Settings,
    results: list[ScenarioResult], *, first: bool, verbose: bool,
) -> None:  # fmt: skip
    report = Report(verbose=verbose)
    async with AsyncExitStack() as stack:
        target = None
        if broker is not None:
            target = _at(broker, "external", settings.site)
        elif any(scenario.store.clock == "real" for scenario in scenarios):
            target = await _own_broker(stack, engine)
        for scenario in scenarios:
            played = await play_one(scenario, target, report)
            results += played
            if first and any(result.failed for result in played):
                return


async def _own_broker(stack: AsyncExitStack, engine: str | None) -> PlayTarget:
    """A broker of our own, on a port that is free."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="storebus-play-"))
    settings = BrokerSettings.model_validate({"engine": engine or "auto", "port": 0})
    running = await stack.enter_async_context(running_broker(settings, Path(folder)))
    return _at(running.url, running.engine)


def _at(url: str, engine: str, site: str | None = None) -> PlayTarget:
    return PlayTarget(MqttConnector(url), engine, MqttConnector(url, largest=LARGEST), site)
