"""How causes are planted: somebody buys, and something breaks before, meanwhile or afterwards."""

from collections.abc import Callable
from functools import partial

from simulation.causes.cause import Plant
from simulation.causes.scene import Scene
from simulation.provider import Fate

Fault = Callable[[Scene], None]


def first(*faults: Fault, cart: dict[str, int] | None = None, card: str = "") -> Plant:
    """Something breaks, then somebody buys."""

    async def plant(scene: Scene) -> None:
        for fault in faults:
            fault(scene)
        await scene.buy(cart, card=card)

    return plant


def at(step: str, *faults: Fault, before: tuple[Fault, ...] = (), card: str = "") -> Plant:
    """Somebody buys, and something breaks when a message is said whose topic is like this.

    Args:
        step: the topic below the root; `+` stands for any level.
        faults: what breaks then.
        before: what has been broken before somebody buys.
        card: how it is paid.
    """

    async def plant(scene: Scene) -> None:
        for fault in before:
            fault(scene)
        for fault in faults:
            scene.when(step, partial(fault, scene))
        await scene.buy(card=card)

    return plant


def later(state: str, *faults: Fault, before: tuple[Fault, ...] = (), card: str = "") -> Plant:
    """Somebody buys, and something breaks when the order has come into a state."""

    async def plant(scene: Scene) -> None:
        for fault in before:
            fault(scene)
        await scene.buy(card=card)
        await scene.until(state)
        for fault in faults:
            fault(scene)

    return plant


def gone(name: str) -> Fault:
    """A node's process ends, and nobody starts it again."""
    return lambda scene: scene.crash(name)


def gone_within(name: str) -> Fault:
    """The same, when what it does next is committed and not said yet."""
    return lambda scene: scene.crash_when(name, "committed")


def off(name: str) -> Fault:
    """A node is switched off with a goodbye."""
    return lambda scene: scene.switch_off(name)


def still(name: str) -> Fault:
    """A node's transactions do not come to an end any more."""
    return lambda scene: scene.stand_still(name)


def full(name: str) -> Fault:
    """The disk of a node is full."""
    return lambda scene: scene.fill(name)


def read_only(name: str) -> Fault:
    """The disk of a node can only be read."""
    return lambda scene: scene.write_protect(name)


def lost(pattern: str, by: str = "") -> Fault:
    """Messages like this are lost on the way to a node, or to the broker."""
    return lambda scene: scene.lose(pattern, by)


def provider(fate: Fate) -> Fault:
    """What becomes of every call to the payment provider."""
    return lambda scene: scene.provider(fate)


def jams(sorter: str, step: str, trouble: str) -> Fault:
    """A sorter's machine cannot do a step, and says why."""
    return lambda scene: scene.jam(sorter, step, trouble)


def drags(sorter: str, step: str) -> Fault:
    """A sorter's machine does not come to the end of a step."""
    return lambda scene: scene.drag(sorter, step)


def finds(sorter: str, pieces: int) -> Fault:
    """A sorter finds fewer pieces than the books say."""
    return lambda scene: scene.find(sorter, pieces)


def when(step: str, fault: Fault) -> Fault:
    """It breaks when a message is said whose topic below the root is like this."""
    return lambda scene: scene.when(step, partial(fault, scene))


def cancels(scene: Scene) -> None:
    """The customer changes their mind."""
    scene.cancel()


def collects(scene: Scene) -> None:
    """The customer gives the code."""
    scene.collect()
