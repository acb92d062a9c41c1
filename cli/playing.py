"""`storebus play`: plays scenarios in stores of their own, or in one that runs already."""

import re
import time
from pathlib import Path
from typing import Annotated

import typer

from bus.contract.errors import ConfigurationError
from bus.text.console import output
from cli import options
from cli.run import require_folder, run
from store.exit_codes import REFUSED
from store.settings import read_settings
from testing.kit.show import warn
from testing.kit.template import OLD_REPLY_SYNTAX
from testing.scenario.from_recording import write_scenario
from testing.scenario.junit import write_junit
from testing.scenario.reading import Scenario, first_old_syntax, read_scenarios
from testing.scenario.report import say_total
from testing.scenario.result import ScenarioResult
from testing.scenario.session import play_all, require_playable_in_running_store


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
        files = [_write_scenario(recordings, site, order, write or Path(f"{_plain(order)}.yaml"))]
    elif order is not None or write is not None or not files:
        raise ConfigurationError("Give scenarios to play, or --from RECORDING --order ORDER.")
    scenarios = _chosen(read_scenarios(files), only)
    if (where := first_old_syntax(scenarios)) is not None:
        warn(f"{where}: {OLD_REPLY_SYNTAX}")
    if broker is not None:
        require_playable_in_running_store(scenarios)
    if check:
        output.print(f"{len(scenarios)} scenarios can be played.")
        return
    begun = time.monotonic()
    results: list[ScenarioResult] = []
    try:
        run(
            play_all(
                scenarios, engine, broker, settings.site, results, first=first, verbose=verbose
            )
        )
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


def _write_scenario(recordings: list[Path], site: str | None, order: str, file: Path) -> Path:
    generated = write_scenario(recordings, site, order, file)
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
