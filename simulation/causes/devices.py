"""Causes that lie with terminals and sorters."""

from typing import Any

from simulation.causes.beside import FULL, MEND, PUT_BACK, REFUSES, REPEATED
from simulation.causes.cause import Cause
from simulation.causes.gadget import Gadget
from simulation.causes.plants import (
    at,
    cancels,
    drags,
    first,
    full,
    gone,
    gone_within,
    jams,
    lost,
    off,
    still,
)
from simulation.causes.scene import Scene

_NO_SORTER = "No sorter is there that could bring the goods."
_NONE = "waits for a sorter, and none is there"


def _another(scene: Scene, **answers: dict[str, Any]) -> Gadget:
    """Only a sorter of another make is there."""
    scene.switch_off("sorter-1")
    return Gadget(scene, "sorter-9", answers)


async def _takes_nothing(scene: Scene) -> None:
    _another(scene, pick={"accepted": False}, abort={"taken": []})
    await scene.buy()


async def _talks_nonsense(scene: Scene) -> None:
    _another(scene, pick={"accepted": "perhaps"}, abort={"taken": []})
    await scene.buy()


async def _falls_silent(scene: Scene) -> None:
    _another(scene, pick={"accepted": True})
    await scene.buy()


async def _says_nothing(scene: Scene) -> None:
    _another(scene)
    await scene.buy()


async def _stops_by_itself(scene: Scene) -> None:
    sorter = _another(scene, pick={"accepted": True})
    await scene.buy()
    await scene.heard("req/warehouse/sorter-9/pick")
    sorter.show("job", step="aborted", job="j-1", order=scene.order, pick=0, picks=1)


async def _shows_nothing(scene: Scene) -> None:
    terminal = Gadget(scene, "terminal-9", {"remind": {"shown": False}})
    await scene.follow(
        terminal.ask(
            "settlement",
            "purchase",
            {
                "lines": [{"sku": "MUG", "quantity": 1}],
                "payment": {"method": "account", "account": "C-1001"},
                "expected_total": {"amount": 1250, "currency": "EUR"},
            },
        )
    )


async def _busy(scene: Scene) -> None:
    scene.drag("sorter-1", "conveying")
    await scene.buy(terminal="terminal-2")
    await scene.until_step("sorter-1", "conveying")
    await scene.buy()


async def _all_scarves(scene: Scene) -> None:
    await scene.buy({"SCARF": 3})
    await scene.until_step("sorter-1", "conveying")
    scene.crash("sorter-1")


async def _scarves_in_the_belt(scene: Scene) -> None:
    scene.jam("sorter-1", "conveying", "belt torn")
    await scene.buy({"SCARF": 3})


TERMINALS = (
    Cause(
        "the terminal is gone before it reminds the customer",
        at("req/settlement/terminal-1/remind", gone("terminal-1")),
        says="settlement waits for terminal-1 to remind the customer, and it is lost",
        names="terminal-1",
        within=2,
        to_do="Switch terminal-1 on again. Until then, the customer can collect by the code (C).",
        also=("terminal-1 is lost",),
    ),
    Cause(
        "the terminal is gone while it reminds the customer",
        at("req/settlement/terminal-1/remind", gone_within("terminal-1")),
        says="settlement waits for terminal-1 to remind the customer, and it is lost",
        names="terminal-1",
        within=35,
        to_do="Switch terminal-1 on again. Until then, the customer can collect by the code (C).",
        also=(
            "terminal-1 is lost",
            "settlement waits for terminal-1 to remind the customer; asked {times} times",
        ),
    ),
    Cause(
        "the terminal is switched off before it reminds the customer",
        at("req/sorter-1/warehouse/packed", off("terminal-1")),
        says="settlement waits for terminal-1 to remind the customer, and it is switched off",
        names="terminal-1",
        within=5,
        to_do="Switch terminal-1 on again. Until then, the customer can collect by the code (C).",
    ),
    Cause(
        "the disk of the terminal is full",
        at("req/settlement/terminal-1/remind", full("terminal-1")),
        says="settlement waits for terminal-1 to remind the customer, and it cannot write its"
        " database",
        names="terminal-1",
        within=5,
        to_do=MEND,
        also=("terminal-1" + FULL,),
    ),
    Cause(
        "the transactions of the terminal stand still",
        at("req/settlement/terminal-1/remind", still("terminal-1")),
        says="settlement waits for terminal-1 to remind the customer; asked {times} times",
        names="terminal-1",
        within=5,
        to_do="terminal-1 is connected and does not answer: look after it. Until then, the customer"
        " can collect by the code (C).",
        also=("settlement waits for terminal-1 to remind the customer",),
        lasts=50,
    ),
    Cause(
        "the terminal does not show the reminder",
        _shows_nothing,
        says="waits for terminal-9 to show the reminder",
        names="terminal-9",
        within=80,
        to_do="terminal-9 is connected and does not answer: look after it. Until then, the customer"
        " can collect by the code (C).",
    ),
    Cause(
        "a terminal is gone without an order of its own",
        first(gone("terminal-2")),
        says="terminal-2 is lost",
        names="terminal-2",
        to_do="See whether virtual has power and network. If nobody starts terminal-2 again, start"
        " it there: storebus node terminal-2",
        within=2,
        alarm="lost",
    ),
)

SORTERS = (
    Cause(
        "no sorter is switched on",
        first(off("sorter-1")),
        says=_NONE,
        names="warehouse",
        within=5,
        to_do="Switch a sorter on: storebus node sorter-1.",
        also=(_NO_SORTER,),
    ),
    Cause(
        "no sorter is switched on, as the warehouse says",
        first(off("sorter-1")),
        says=_NO_SORTER,
        names="warehouse",
        within=5,
        to_do="Switch a sorter on: storebus node sorter-1. The orders wait for it.",
        alarm="no-sorter",
        also=(_NONE,),
    ),
    Cause(
        "the only sorter is gone before it is given the job",
        first(gone("sorter-1")),
        says=_NONE,
        names="warehouse",
        within=5,
        to_do="Switch a sorter on: storebus node sorter-1.",
        also=(_NO_SORTER, "sorter-1 is lost"),
    ),
    Cause(
        "the sorter is gone with the goods",
        at("state/sorter-1/job", gone("sorter-1")),
        says="waits for sorter-1: on the way to the goods, and it is lost",
        names="sorter-1",
        within=3,
        to_do="Switch sorter-1 on again, or give the job to another (O).",
        also=("sorter-1 is lost",),
        lasts=25,
    ),
    Cause(
        "the sorter is switched off in the middle of its job",
        at("state/sorter-1/job", off("sorter-1"), before=(drags("sorter-1", "travelling"),)),
        says="waits for sorter-1: on the way to the goods, and it is switched off",
        names="sorter-1",
        within=3,
        to_do="Switch sorter-1 on again, or give the job to another (O).",
        lasts=25,
    ),
    Cause(
        "the job of a sorter that is gone waits for another sorter",
        at("state/sorter-1/job", gone("sorter-1")),
        says=_NONE,
        names="warehouse",
        within=45,
        to_do="Switch a sorter on: storebus node sorter-1.",
        also=(
            _NO_SORTER,
            "sorter-1 is lost",
            "waits for sorter-1: on the way to the goods, and it is lost",
            "waits for sorter-1: it has the job, and it is lost",
        ),
    ),
    Cause(
        "another sorter has the job of one that is gone, and takes its time",
        at(
            "req/warehouse/sorter-1/pick",
            gone("sorter-1"),
            before=(drags("sorter-2", "conveying"),),
        ),
        says="waits for sorter-2: conveys the goods",
        names="sorter-2",
        within=50,
        wrong=False,
        also=("sorter-1 is lost", "warehouse waits for sorter-1 to take the job, and it is lost"),
        besides=("sorter-2",),
        lasts=60,
    ),
    Cause(
        "the sorter is jammed",
        first(jams("sorter-1", "conveying", "belt torn")),
        says="sorter-1: belt torn; waits for another sorter",
        names="sorter-1",
        within=15,
        to_do="Look after sorter-1; then say that it is well (W on the stock screen).",
        also=(PUT_BACK, _NO_SORTER),
        lasts=50,
    ),
    Cause(
        "goods lie in a jammed sorter",
        first(jams("sorter-1", "conveying", "belt torn")),
        says=PUT_BACK,
        names="{parcel}",
        within=15,
        to_do="Put them on a shelf and say so: + on the stock screen, with the parcel {parcel}.",
        alarm="put-back",
        also=(_NO_SORTER, "sorter-1: belt torn; waits for another sorter"),
        lasts=50,
    ),
    Cause(
        "goods lie where no sorter reaches them",
        first(
            jams("sorter-1", "picking", "A-02-1 is out of reach"),
            jams("sorter-2", "picking", "A-02-1 is out of reach"),
        ),
        says="sorter-2: A-02-1 is out of reach; waits for another sorter",
        names="sorter-2",
        within=20,
        to_do="Look after sorter-2; then say that it is well (W on the stock screen).",
        also=(PUT_BACK, _NO_SORTER, "sorter-1: A-02-1 is out of reach; waits for another sorter"),
        besides=("sorter-2",),
        lasts=50,
    ),
    Cause(
        "a sorter is slow",
        first(drags("sorter-1", "conveying")),
        says="waits for sorter-1: conveys the goods",
        names="sorter-1",
        within=75,
        to_do="Look after sorter-1, or give the job to another (O).",
        lasts=140,
    ),
    Cause(
        "a sorter does not take its job",
        _takes_nothing,
        says="sorter-9 does not take the job; asked {times} times",
        names="sorter-9",
        within=10,
        to_do="Look after sorter-9: it may still be at another job. Or switch another sorter on.",
        also=(REFUSES, _NO_SORTER),
    ),
    Cause(
        "a sorter refuses every job",
        _takes_nothing,
        says="sorter-9 refuses pick again and again: it does not say why",
        names="sorter-9",
        within=10,
        to_do="Look at sorter-9 and its log. If another can do its work, switch it off.",
        alarm="refuses",
        also=("sorter-9 does not take the job; asked {times} times", _NO_SORTER),
    ),
    Cause(
        "a sorter answers its job with nonsense",
        _talks_nonsense,
        says="sorter-9 does not take the job; asked {times} times",
        names="sorter-9",
        within=10,
        to_do="Look after sorter-9: it may still be at another job. Or switch another sorter on.",
        also=(REFUSES, _NO_SORTER),
    ),
    Cause(
        "a sorter takes its job and is never heard of again",
        _falls_silent,
        says="waits for sorter-9: it has the job",
        names="sorter-9",
        within=75,
        to_do="Look after sorter-9, or give the job to another (O).",
    ),
    Cause(
        "a sorter stops its job by itself",
        _stops_by_itself,
        says="waits for sorter-9: the job was stopped",
        names="sorter-9",
        within=5,
        to_do="Look after sorter-9, or give the job to another (O).",
    ),
    Cause(
        "a sorter does not answer",
        _says_nothing,
        says="warehouse waits for sorter-9 to take the job; asked {times} times",
        names="sorter-9",
        within=5,
        to_do="sorter-9 is connected and does not answer: look after it, and start it again.",
        also=("warehouse waits for sorter-9 to take the job",),
    ),
    Cause(
        "a sorter does not hear what it is told",
        first(lost("req/warehouse/sorter-1/pick", by="sorter-1")),
        says="warehouse waits for sorter-1 to take the job; asked {times} times",
        names="sorter-1",
        within=5,
        to_do="sorter-1 is connected and does not answer: look after it, and start it again.",
        also=("warehouse waits for sorter-1 to take the job",),
    ),
    Cause(
        "the disk of the sorter is full",
        first(full("sorter-1")),
        says="warehouse waits for sorter-1 to take the job, and it cannot write its database",
        names="sorter-1",
        within=5,
        to_do=MEND,
        also=("sorter-1" + FULL,),
    ),
    Cause(
        "the transactions of the sorter stand still",
        first(still("sorter-1")),
        says="warehouse waits for sorter-1 to take the job; asked {times} times",
        names="sorter-1",
        within=5,
        to_do="sorter-1 is connected and does not answer: look after it, and start it again.",
        also=("warehouse waits for sorter-1 to take the job",),
        lasts=50,
    ),
    Cause(
        "the only sorter is busy with another order",
        _busy,
        says="waits for a free sorter",
        names="warehouse",
        within=2,
        wrong=False,
        lasts=50,
    ),
    Cause(
        "all goods of a kind are with a sorter that is gone",
        _all_scarves,
        says="warehouse waits for sorter-1 to stop the job and say what it had taken, and it is"
        " lost",
        names="sorter-1",
        within=45,
        to_do="Switch sorter-1 on again: it has goods of the order, or knows where they are.",
        also=(
            "sorter-1 is lost",
            "SCARF: 0 left",
            "waits for sorter-1: conveys the goods, and it is lost",
        ),
        besides=("sorter-2",),
    ),
    Cause(
        "all goods of a kind lie in a sorter that is jammed",
        _scarves_in_the_belt,
        says="waits for its goods to be put back on their shelves",
        names="warehouse",
        within=15,
        to_do="Put them back on a shelf, and enter that: + on the stock screen, with the parcel.",
        also=(PUT_BACK, "SCARF: 0 left", "sorter-1: belt torn; waits for another sorter"),
        besides=("sorter-2",),
    ),
    Cause(
        "the customer cancels, and the sorter with the goods is gone",
        at("state/sorter-1/job", gone("sorter-1"), cancels),
        says="warehouse waits for sorter-1 to stop the job and say what it had taken, and it is"
        " lost",
        names="sorter-1",
        within=5,
        to_do="Switch sorter-1 on again: it has goods of the order, or knows where they are.",
        also=("sorter-1 is lost",),
    ),
)


async def _two_of_a_name(scene: Scene) -> None:
    device = Gadget(scene, "sorter-9", {})
    for boot in ("a", "b", "a"):
        device.show("presence", status="online", boot=boot)


async def _comes_and_goes(scene: Scene) -> None:
    device = Gadget(scene, "sorter-9", {})
    for boot in range(5):
        device.show("presence", status="online", boot=str(boot))


async def _old_device(scene: Scene) -> None:
    device = Gadget(scene, "terminal-9", {})
    for _ in range(120):
        device.ask("catalog", "lookup", {"code": "0950"}, id="1")


async def _overloaded(scene: Scene) -> None:
    Gadget(scene, "sorter-9", {"about": {"version": "1", "outbox": 1200}})


STRANGE = (
    Cause(
        "two devices use one name",
        _two_of_a_name,
        says="two devices use the name sorter-9, and each takes it from the other: give one of them"
        " another",
        names="sorter-9",
        within=5,
        alarm="two-of-a-name",
        passes=True,
    ),
    Cause(
        "a device comes and goes",
        _comes_and_goes,
        says="sorter-9 came online {times} times within a minute: it ends or loses its connection"
        " again and again; look at its log",
        names="sorter-9",
        within=5,
        alarm="restless",
        passes=True,
    ),
    Cause(
        "an old device says the same again and again",
        _old_device,
        says=REPEATED,
        names="bus",
        to_do="Somebody is not answered: see whether who is asked is there. The filter repeats:>2"
        " shows all of it in the traffic.",
        within=5,
        alarm="duplicates",
        passes=True,
    ),
    Cause(
        "the outbox of a node fills",
        _overloaded,
        says="sorter-9 has 1200 commands that are not done",
        names="sorter-9",
        to_do="Somebody does not answer it: see whether sorter-9 is there, and look for the cause"
        " in the log of sorter-9 on the host of sorter-9.",
        within=15,
        alarm="outbox",
    ),
)

CAUSES = (*TERMINALS, *SORTERS, *STRANGE)
