"""Reads scenario files, and reports every mistake with file, line and field."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bus.contract.errors import ConfigurationError
from testing.kit.template import REQUEST, has_old_syntax, used
from testing.scenario import pattern
from testing.scenario.contract import unknown
from testing.scenario.model import (
    AnyStep,
    Crash,
    Delay,
    Drop,
    Duplicate,
    Expect,
    ExpectNone,
    Goods,
    Reorder,
    Respond,
    ScenarioFile,
    ScenarioPart,
    Send,
    SetClock,
    SetVariables,
    Start,
    Stop,
    StoreSpec,
)
from testing.scenario.source import DocumentPath, Source, read_source

GIVEN = ("run", "tester")
"""The variables that every scenario has."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step, and its line."""

    line: int
    does: AnyStep


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario, ready to be played."""

    source: Source
    line: int
    name: str
    store: StoreSpec
    engines: tuple[str, ...] | None
    variables: Mapping[str, Any]
    goods: Mapping[str, Goods]
    accounts: Mapping[str, int]
    cases: tuple[Mapping[str, Any], ...]
    """The variables of each case; at least one case."""
    steps: tuple[Step, ...]

    @property
    def own_store(self) -> str | None:
        """Why it cannot be played in a store that already runs; None if it can."""
        if self.store.clock == "virtual":
            return f"{self.source.path}:{self.line}: time can be simulated"
        for step in self.steps:
            verb = next((verb for kind, verb in _OWN.items() if isinstance(step.does, kind)), None)
            if verb is not None:
                return f"{self.source.path}:{step.line}: {verb}"
        return None


def read_scenarios(paths: Iterable[Path]) -> list[Scenario]:
    """Read the scenarios of files, and of the files in folders, in order.

    Raises:
        ConfigurationError: files are wrong, or there are none; one line for each mistake.
    """
    read: list[Scenario] = []
    mistakes: list[str] = []
    for path in _files(paths):
        try:
            read += _read(path)
        except ConfigurationError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return read


def first_old_syntax(scenarios: Iterable[Scenario]) -> str | None:
    """Where a reply template first uses the syntax of version 0.1, as file and line."""
    for scenario in scenarios:
        for step in scenario.steps:
            if isinstance(step.does, Respond):
                part = step.does.respond
                if has_old_syntax([part.data, part.problem]):
                    return f"{scenario.source.path}:{step.line}"
    return None


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(each for each in path.rglob("*.y*ml") if each.suffix in (".yaml", ".yml"))
        if not found:
            raise ConfigurationError(f"{path} has no scenarios (*.yaml).")
        yield from found


def _read(path: Path) -> list[Scenario]:
    source = read_source(path)
    try:
        file = ScenarioFile.model_validate(source.data)
    except ValidationError as error:
        raise _together(_explained(source, error)) from error
    read: list[Scenario] = []
    mistakes: list[ConfigurationError] = []
    for at, part in enumerate(file.scenarios):
        scenario = _scenario(source, file, part, ("scenarios", at))
        mistakes += _flaws(scenario, part, ("scenarios", at))
        read.append(scenario)
    if mistakes:
        raise _together(mistakes)
    return read


def _together(mistakes: Iterable[ConfigurationError]) -> ConfigurationError:
    return ConfigurationError("\n".join(dict.fromkeys(map(str, mistakes))))


def _scenario(
    source: Source, file: ScenarioFile, part: ScenarioPart, place: DocumentPath
) -> Scenario:
    steps = tuple(
        Step(source.line((*place, "steps", at)), does) for at, does in enumerate(part.steps)
    )
    return Scenario(
        source,
        source.line((*place, "scenario")),
        part.scenario,
        part.store if "store" in part.model_fields_set else file.store,
        None if part.engines is None else tuple(part.engines),
        {**file.variables, **part.variables},
        {**file.goods, **part.goods},
        {**file.accounts, **part.accounts},
        tuple(part.cases or ({},)),
        steps,
    )


def _explained(source: Source, error: ValidationError) -> Iterator[ConfigurationError]:
    """Each mistake with its line."""
    for each in error.errors(include_url=False, include_input=False):
        place = tuple(each["loc"])
        if place[2:3] == ("steps",):  # after the step's place stands what kind of step it is
            place = (*place[:4], *place[5:])
        known = _known(source.data, place)
        why = each["msg"].removeprefix("Value error, ")
        if each["type"] == "extra_forbidden":
            why = "there is no such field here"
        field = ".".join(str(part) for part in known) or "the file"
        if each["type"] == "missing":
            why = f"{place[-1]} is missing"
        yield source.error(source.line(known), f"{field}: {why}")


def _known(data: Any, place: DocumentPath) -> DocumentPath:
    """The path to a part, as far as it exists in the file."""
    known: list[str | int] = []
    for part in place:
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        known.append(part)
    return tuple(known)


# -- what the models cannot see -------------------------------------------------------------------


def _flaws(
    scenario: Scenario, part: ScenarioPart, place: DocumentPath
) -> Iterator[ConfigurationError]:
    source, store = scenario.source, scenario.store
    if store.clock == "virtual" and store.cards:
        yield source.error(scenario.line, "store.cards: a simulated store takes no cards")
    yield from _check_cases(scenario, part, place)
    known = {*GIVEN, *scenario.variables, *scenario.goods, *scenario.accounts}
    for at, (step, does) in enumerate(zip(scenario.steps, part.steps, strict=True)):
        here = (*place, "steps", at)
        yield from _check_draft(source, does, step.line)
        if isinstance(does, SetClock) and store.clock != "virtual":
            yield source.error(step.line, "clock: only a store with `clock: virtual` has one")
        raw = _at(source.data, here)
        for case in scenario.cases:
            for value, names in _scopes(does, raw):
                yield from _check_variables(source, step.line, value, {*known, *case, *names})
        for name, value in _patterns(does):
            for inside, why in pattern.flaws(value):
                where = (*here, *name, *inside)
                field = ".".join(str(each) for each in where[len(here) :])
                yield source.error(source.line(where), f"{field}: {why}")
        for inside, why in unknown(raw):
            field = ".".join(str(each) for each in inside)
            yield source.error(source.line((*here, *inside)), f"{field}: {why}")
        known |= _sets(does, raw)


def _check_cases(
    scenario: Scenario, part: ScenarioPart, place: DocumentPath
) -> Iterator[ConfigurationError]:
    first = set(scenario.cases[0])
    for at, case in enumerate(scenario.cases):
        if set(case) != first:
            line = scenario.source.line((*place, "cases", at))
            odd = ", ".join(sorted(first ^ set(case)))
            yield scenario.source.error(line, f"cases: not every case has {odd}")
    yield from _check_variables(scenario.source, scenario.line, part.scenario, {*GIVEN, *first})


def _scopes(does: AnyStep, raw: Any) -> Iterator[tuple[Any, set[str]]]:
    """The parts of a step, each with the variables that only it has: a reply has the request's."""
    if not isinstance(does, Respond):
        yield raw, set()
        return
    for name, value in raw["respond"].items():
        yield value, {REQUEST} if name in ("data", "problem") else set()
    yield {name: value for name, value in raw.items() if name != "respond"}, set()


def _check_variables(
    source: Source, line: int, raw: Any, known: set[str]
) -> Iterator[ConfigurationError]:
    unknown = [name for name in used(raw) if name not in known]
    if unknown:
        yield source.error(line, f"there is no variable {unknown[0]} here yet")


def _check_draft(source: Source, does: AnyStep, line: int) -> Iterator[ConfigurationError]:
    if not isinstance(does, Send):
        return
    draft = does.send
    addressed = None not in (draft.sender, draft.to, draft.op)
    if (draft.topic is None) != addressed:
        yield source.error(line, "send: takes from, to and op; or a topic")
    if draft.payload is not None and draft.data != {}:
        yield source.error(line, "send: takes data or a payload")
    expects = does.reply is not None or does.problem is not None
    if expects and not addressed:
        yield source.error(line, "send: the answer to a topic cannot be told: use expect")
    if does.reply is not None and does.problem is not None:
        yield source.error(line, "send: either a reply or a problem is expected")
    if does.eventually and does.reply is None:
        yield source.error(line, "eventually: goes with a reply")


def _patterns(does: AnyStep) -> Iterator[tuple[DocumentPath, Any]]:
    if isinstance(does, Send):
        yield ("reply",), does.reply
        yield ("problem",), does.problem
    elif isinstance(does, Expect):
        yield ("expect",), does.expect.model_dump(by_alias=True, exclude_unset=True)
    elif isinstance(does, ExpectNone):
        yield ("expect none",), does.expect_none.model_dump(by_alias=True, exclude_unset=True)


def _sets(does: AnyStep, raw: Any) -> set[str]:
    names = set(_captures(raw))
    if isinstance(does, SetVariables):
        names |= does.set.keys()
    if isinstance(does, Send) and does.send.save is not None:
        names.add(does.send.save)
    return names


def _captures(raw: Any) -> Iterator[str]:
    if isinstance(raw, dict):
        for name, value in raw.items():
            if name == "$as" and isinstance(value, str):
                yield value
            yield from _captures(value)
    elif isinstance(raw, list):
        for each in raw:
            yield from _captures(each)


def _at(data: Any, place: Sequence[str | int]) -> Any:
    for part in place:
        data = data[part]
    return data


_OWN: dict[type[Any], str] = {
    Crash: "nodes can be crashed",
    Stop: "nodes can be stopped",
    Start: "nodes can be started",
    Drop: "messages can be lost",
    Duplicate: "messages can be repeated",
    Delay: "messages can be delayed",
    Reorder: "messages can be reordered",
}
