"""Plants a cause in a simulated store and listens to what the console says."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

from nodes.settlement.settings import SettlementSettings
from nodes.warehouse.settings import WarehouseSettings
from simulation.causes.cause import Cause, Said, Verdict
from simulation.causes.scene import Scene
from simulation.operator import Operator
from simulation.run import end, folder, silence
from simulation.store import ROLES, SimulatedStore
from simulation.weather import Weather
from testing.kit.virtual_time import VirtualLoop
from tui.model.remedy import advice

_SEED = 1
_NODES = (*ROLES, "sorter-1", "terminal-1", "terminal-2")
_PLANTING = 300.0
"""Seconds in which it is planted."""
_LOOK = 0.25
"""Seconds between two looks at the console."""


def watch(cause: Cause) -> Verdict:
    """Plant a cause in a store of its own, and say what the console said."""
    with folder() as data, silence(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_live(cause, data))


async def _live(cause: Cause, data: Path) -> Verdict:
    store = SimulatedStore(_SEED, Weather(), data, (*_NODES, *cause.besides))
    store.patience = SettlementSettings(expire_after=cause.expires)
    store.sorting = WarehouseSettings()
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    with store.listening():
        operator = Operator()
        watching = [operator.begin(store)]
        await store.open()
        async with store.tool("console-1").connected() as console:
            scene = Scene(store, operator, console)
            await scene.buy_and_wait(terminal="terminal-2")
            bystander = scene.order
            planting = asyncio.create_task(_plant(cause, scene, watching))
            verdict = await _listen(cause, scene, bystander, planting)
        await end(watching[-1])
        await store.abandon()
    return verdict


async def _plant(cause: Cause, scene: Scene, watching: list[asyncio.Task[None]]) -> None:
    async with asyncio.timeout(_PLANTING):
        await cause.planted(scene)
    if cause.late:
        await end(watching[-1])
        scene.operator = Operator()
        watching.append(scene.operator.begin(scene.store))
        scene.mark()


async def _listen(
    cause: Cause, scene: Scene, bystander: str, planting: asyncio.Task[None]
) -> Verdict:
    """Look at the console again and again, as long as the cause is watched."""
    loop = asyncio.get_running_loop()
    first: float | None = None
    nearest: Said | None = None
    untrue: dict[str, None] = {}
    while not planting.done() or loop.time() < scene.begun + cause.lasts:
        await asyncio.sleep(_LOOK)
        said = list(_said(scene))
        known = first is not None and not cause.alarm and not cause.passes
        untrue |= dict.fromkeys(_untrue(cause, scene, said, bystander, is_known=known))
        if not planting.done():
            continue
        right = next((each for each in said if _is_it(cause, scene, each)), None)
        if right is not None and first is None:
            first = max(0.0, loop.time() - scene.begun)
        if right is None and not cause.passes:
            first = None
        nearest = right or nearest or next((each for each in said if each.wrong), None)
    planting.result()
    in_time = first is not None and first <= cause.within
    return Verdict(first, nearest, tuple(untrue), right=in_time and not untrue)


def _said(scene: Scene) -> Iterator[Said]:
    """All that the console says now."""
    model = scene.operator.model
    trouble = scene.operator.feed.says
    if trouble is not None:
        yield Said("console", "", "broker", str(trouble), wrong=True, to_do="")
    for group in model.alarms.groups():
        alarm = group.head
        said = advice(alarm, model)
        yield Said(alarm.kind, alarm.subject, alarm.subject, str(alarm.text), True, str(said or ""))
    for track in model.orders:
        why = model.diagnose(track)
        if why is not None:
            to_do = str(why.to_do) if why.to_do is not None else ""
            yield Said("order", track.order, why.node, str(why.reason), not why.normal, to_do)
        elif track.reason is not None:
            yield Said("order", track.order, track.terminal or "", track.reason, False, "")


def _is_it(cause: Cause, scene: Scene, said: Said) -> bool:
    """Whether this is what the cause must make the console say."""
    about = cause.alarm or "order"
    subject = said.subject == scene.order or about != "order"
    return (
        (said.about, said.wrong) == (about, cause.wrong)
        and subject
        and _fits(cause.names, said.names, scene)
        and _fits(cause.says, said.sentence, scene)
        and _fits(cause.to_do, said.to_do, scene)
    )


def _untrue(
    cause: Cause, scene: Scene, said: list[Said], bystander: str, *, is_known: bool
) -> Iterator[str]:
    """What is said that is not so, or of whom it is not so."""
    for each in said:
        of_bystander = each.about in ("order", "stuck") and each.subject == bystander != scene.order
        true = cause.also if of_bystander else (cause.says, *cause.also)
        is_trouble = each.wrong or (is_known and each.subject == scene.order)
        if is_trouble and not any(_fits(text, each.sentence, scene) for text in true):
            yield f"{each.about} {each.subject}: {each.sentence}"


_GAPS = {
    "{other}": "o-[0-9a-z]+",
    "{times}": "[0-9]+",
    "{span}": "[0-9.]+ (?:s|min|h)",
    "{node}": "[a-z0-9-]+",
    "{word}": "[a-z0-9-]+",
    "{sku}": "[A-Z0-9-]+",
    "{place}": "[A-Z0-9-]+",
    "{parcel}": "[a-z0-9.-]+",
    "{words}": ".+",
}


def _fits(template: str, sentence: str, scene: Scene) -> bool:
    pattern = re.escape(template)
    pattern = pattern.replace(re.escape("{order}"), re.escape(scene.order))
    pattern = pattern.replace(re.escape("{times}"), "[0-9]+")
    for gap, found in _GAPS.items():
        pattern = pattern.replace(re.escape(gap), found)
    pattern = pattern.replace(re.escape("{span}"), "[0-9.]+ (?:s|min|h)")
    return re.fullmatch(pattern, sentence) is not None
