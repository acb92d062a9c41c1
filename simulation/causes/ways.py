"""Causes that lie between the nodes: broker, network, clocks, and what nobody can read."""

from simulation.causes.beside import LATE, REPEATED
from simulation.causes.cause import Cause
from simulation.causes.gadget import Gadget
from simulation.causes.plants import cancels, first, later, lost, off
from simulation.causes.scene import Scene

_MALFORMED = (
    "Enter shows the message. Mend or replace the software of {}: storebus certify tries it."
)


_FORWARD = (
    "the clock of terminal-1 was set 60 min forward; nothing expires by that, but see whether it is"
    " right now"
)


async def _no_broker(scene: Scene) -> None:
    scene.lose_broker()


async def _clock_forward(scene: Scene) -> None:
    scene.set_clock("terminal-1", 3_600)


async def _clock_back(scene: Scene) -> None:
    scene.set_clock("warehouse", -86_400)


async def _wrong_clock(scene: Scene) -> None:
    scene.set_clock("terminal-1", 3_600)
    await scene.scan("terminal-1")


async def _garbage(scene: Scene) -> None:
    scene.say("req/terminal-9/catalog/lookup", b"\xff{")


async def _no_envelope(scene: Scene) -> None:
    scene.say("req/terminal-9/catalog/lookup", b'{"code": "0950"}')


async def _foreign(scene: Scene) -> None:
    scene.say("fridge/1/temperature", b"4")


async def _other_version(scene: Scene) -> None:
    device = Gadget(scene, "terminal-9", {})
    device.ask("catalog", "lookup", {"code": "0950"}, specversion="2.0")


async def _not_allowed(scene: Scene) -> None:
    device = Gadget(scene, "terminal-9", {})
    device.ask("catalog", "restock", {"sku": "MUG", "quantity": 1})


async def _too_late(scene: Scene) -> None:
    device = Gadget(scene, "terminal-9", {})
    device.ask("catalog", "lookup", {"code": "0950"}, expirytime="2020-01-01T00:00:00Z")


async def _of_another_job(scene: Scene) -> None:
    await scene.buy()
    await scene.until("reminded")
    device = Gadget(scene, "sorter-9", {})
    job = scene.operator.model.orders.get(scene.order)
    assert job is not None
    packed = {"job": job.job, "assignment": 1, "order": scene.order, "parcel": "p-9"}
    device.ask("warehouse", "packed", {**packed, "lines": [{"sku": "MUG", "quantity": 1}]})


NETWORK = (
    Cause(
        "the broker is gone",
        _no_broker,
        says="no broker at the simulation: trying again",
        names="broker",
        within=5,
        alarm="console",
    ),
    Cause(
        "the catalog does not hear settlement",
        first(lost("req/settlement/catalog/+", by="catalog")),
        says="settlement waits for catalog to hold the goods; asked {times} times",
        names="catalog",
        within=5,
        to_do="catalog is connected and does not answer: look at its log, and start it again.",
        also=(
            LATE,
            "settlement waits for catalog to hold the goods",
        ),
    ),
    Cause(
        "settlement does not hear the catalog",
        first(lost("rep/settlement/catalog/+", by="settlement")),
        says="settlement asked catalog {times} times to hold the goods, and does not get the"
        " answers",
        names="settlement",
        within=10,
        to_do="Answers do not reach settlement: look at its network, and start it again.",
        also=(LATE,),
    ),
    Cause(
        "what settlement tells the warehouse does not reach the broker",
        first(lost("req/settlement/warehouse/+")),
        says="waits for settlement to pass it to the warehouse",
        names="settlement",
        within=5,
        to_do="settlement is connected and does not go on: look at its log and its network, and"
        " start it again.",
    ),
    Cause(
        "what settlement asks the catalog does not reach the broker",
        first(lost("req/settlement/catalog/reserve")),
        says="waits for settlement to reserve its goods",
        names="settlement",
        within=5,
        to_do="settlement is connected and does not go on: look at its log and its network, and"
        " start it again.",
        also=(LATE,),
    ),
    Cause(
        "what the warehouse tells the sorter does not reach the broker",
        first(lost("req/warehouse/sorter-1/+")),
        says="waits for warehouse to give it to a sorter",
        names="warehouse",
        within=75,
        to_do="A sorter is free: goods may have to be put back on a shelf first. O tries it again"
        " at once.",
        lasts=110,
    ),
    Cause(
        "that the parcel is ready does not reach the broker",
        first(lost("req/warehouse/settlement/ready")),
        says="waits for warehouse to report the parcel",
        names="warehouse",
        within=15,
        to_do="warehouse is connected and does not go on: look at its log and its network, and"
        " start it again.",
    ),
    Cause(
        "the reminder does not reach the broker",
        first(lost("req/settlement/terminal-1/remind")),
        says="waits for settlement to remind the customer",
        names="settlement",
        within=15,
        to_do="settlement is connected and does not go on: look at its log and its network, and"
        " start it again.",
    ),
    Cause(
        "what settlement tells the catalog of a cancelled order does not reach the broker",
        later("settled", cancels, before=(off("sorter-1"), lost("req/settlement/catalog/release"))),
        says="waits for settlement to undo it",
        names="settlement",
        within=5,
        to_do="settlement is connected and does not go on: look at its log and its network, and"
        " start it again.",
    ),
    Cause(
        "nothing reaches the warehouse any more",
        first(lost("#", by="warehouse")),
        says="settlement waits for warehouse to take the order; asked {times} times",
        names="warehouse",
        within=5,
        to_do="warehouse is connected and does not answer: look at its log, and start it again.",
        also=("settlement waits for warehouse to take the order", REPEATED),
    ),
    Cause(
        "the console does not hear what settlement tells of its orders",
        first(lost("event/settlement/+", by="console-9")),
        says="waits for the customer to collect it",
        names="terminal-1",
        within=15,
        wrong=False,
    ),
    Cause(
        "the console does not hear what is answered on the way of an order",
        first(
            lost("rep/settlement/warehouse/+", by="console-9"),
            lost("rep/+/sorter-1/+", by="console-9"),
            lost("rep/sorter-1/+/+", by="console-9"),
            lost("rep/warehouse/settlement/+", by="console-9"),
        ),
        says="waits for the customer to collect it",
        names="terminal-1",
        within=15,
        wrong=False,
    ),
    Cause(
        "what the warehouse answers does not reach the broker",
        first(lost("rep/settlement/warehouse/+")),
        says="settlement waits for warehouse to take the order; asked {times} times",
        names="warehouse",
        within=5,
        to_do="warehouse is connected and does not answer: look at its log, and start it again.",
        also=("settlement waits for warehouse to take the order",),
        passes=True,
    ),
    Cause(
        "the warehouse does not hear the sorter",
        first(lost("req/sorter-1/warehouse/+", by="warehouse")),
        says="sorter-1 waits for warehouse to hear that the parcel is packed; asked {times} times",
        names="warehouse",
        within=15,
        to_do="warehouse is connected and does not answer: look at its log, and start it again.",
        also=("sorter-1 waits for warehouse to hear that the parcel is packed",),
    ),
    Cause(
        "settlement does not hear that the parcel is ready",
        first(lost("req/warehouse/settlement/ready", by="settlement")),
        says="warehouse waits for settlement to hear that the parcel is ready; asked {times} times",
        names="settlement",
        within=15,
        to_do="settlement is connected and does not answer: look at its log, and start it again.",
        also=("warehouse waits for settlement to hear that the parcel is ready",),
    ),
    Cause(
        "the terminal does not hear the reminder",
        first(lost("req/settlement/terminal-1/remind", by="terminal-1")),
        says="settlement waits for terminal-1 to remind the customer; asked {times} times",
        names="terminal-1",
        within=15,
        to_do="terminal-1 is connected and does not answer: look after it. Until then, the customer"
        " can collect by the code (C).",
        also=("settlement waits for terminal-1 to remind the customer",),
    ),
)

CLOCKS = (
    Cause(
        "the clock of a terminal is set an hour forward",
        _clock_forward,
        says=_FORWARD,
        names="terminal-1",
        within=10,
        alarm="clock-step",
        also=("the clock of terminal-1 is 60 min ahead of the store's; it can work, but set it",),
    ),
    Cause(
        "the clock of the warehouse is set a day back",
        _clock_back,
        says="the clock of warehouse was set 24 h back; nothing waits longer for that, but see"
        " whether it is right now",
        names="warehouse",
        within=10,
        alarm="clock-step",
        also=("the clock of warehouse is 24 h behind the store's; it can work, but set it",),
    ),
    Cause(
        "the clock of a terminal is not the store's",
        _wrong_clock,
        says="the clock of terminal-1 is 60 min ahead of the store's; it can work, but set it",
        names="terminal-1",
        within=10,
        alarm="clock-wrong",
        also=(_FORWARD,),
    ),
)

MESSAGES = (
    Cause(
        "a device sends what nobody can read",
        _garbage,
        says="under the name terminal-9 came lookup: not JSON",
        names="terminal-9",
        within=2,
        to_do=_MALFORMED.format("terminal-9"),
        alarm="malformed",
    ),
    Cause(
        "a device leaves out the envelope",
        _no_envelope,
        says="under the name terminal-9 came lookup: no id",
        names="terminal-9",
        within=2,
        to_do=_MALFORMED.format("terminal-9"),
        alarm="malformed",
    ),
    Cause(
        "a device speaks another version",
        _other_version,
        says="under the name terminal-9 came lookup: another version of CloudEvents",
        names="terminal-9",
        within=2,
        to_do=_MALFORMED.format("terminal-9"),
        alarm="malformed",
    ),
    Cause(
        "something else uses the broker",
        _foreign,
        says="a message on storebus/1/simulated/fridge/1/temperature",
        names="topics",
        within=2,
        to_do="Enter shows the message. Whoever publishes it belongs on another broker, or needs"
        " its topic mended.",
        alarm="foreign",
    ),
    Cause(
        "a device does what it may not do",
        _not_allowed,
        says="terminal-9 may not restock: Only warehouse may call restock.",
        names="terminal-9",
        within=2,
        to_do="Something uses the name terminal-9 for what it may not do: give it the right name,"
        " or switch it off.",
        alarm="refused",
    ),
    Cause(
        "what a device asks comes too late",
        _too_late,
        says="terminal-9 came {times} days too late with lookup: catalog refused it",
        names="terminal-9",
        to_do="If it goes on: see whether terminal-9 is there, how busy the host of terminal-9 is,"
        " and what its clock says.",
        within=2,
        alarm="deadline",
    ),
    Cause(
        "a command is refused for good",
        _of_another_job,
        says="warehouse refused packed of sorter-9 for good: wrong-state",
        names="{order}",
        within=2,
        to_do="Enter shows what was refused and why. It is not sent again: mend the cause, and do"
        " by hand what is missing.",
        alarm="dead-letter",
    ),
)

CAUSES = (*NETWORK, *CLOCKS, *MESSAGES)
