"""Causes that lie with money, goods and customers."""

from simulation.causes.beside import LATE, PUT_BACK, SHORT, SILENT
from simulation.causes.cause import Cause
from simulation.causes.plants import cancels, finds, first, later, off, provider
from simulation.causes.scene import Scene

_PROVIDER = (
    "Settlement asks again by itself. See whether the payment provider reports a disturbance."
)
_LOCKED_OUT = (
    "The payment provider does not let the store in (the API key is not valid): mend the settings,"
    " here or there; payments then go on by themselves."
)
_BACK = "Put them back on a shelf, and enter that: + on the stock screen, with the parcel."
_REFUSED = (
    "{order}: The provider refused to give money back: the card's account is closed. Ask again, or"
    " pay by hand: storebus resolve {order}"
)


async def _unknown_customer(scene: Scene) -> None:
    await scene.buy(account="C-9999")


async def _poor_customer(scene: Scene) -> None:
    await scene.buy(account="C-1002")


async def _declined(scene: Scene) -> None:
    await scene.buy(card="decline")


async def _sold_out(scene: Scene) -> None:
    await scene.buy({"SCARF": 9})


async def _after_a_refused_one(scene: Scene) -> None:
    await scene.buy(terminal="terminal-2", card="norefund")
    await scene.until("reminded")
    scene.cancel()
    await scene.until("cancelling")
    await scene.buy(card="approve")
    await scene.until("reminded")
    scene.cancel()


async def _cancelled_underway(scene: Scene) -> None:
    scene.drag("sorter-1", "conveying")
    await scene.buy()
    await scene.until_step("sorter-1", "conveying")
    scene.cancel()


async def _scarce(scene: Scene) -> None:
    await scene.buy({"SCARF": 1})


MONEY = (
    Cause(
        "the payment provider does not answer",
        first(provider("before"), card="approve"),
        says="waits for the payment provider",
        names="settlement",
        within=12,
        to_do=_PROVIDER,
        also=(SILENT, LATE),
    ),
    Cause(
        "nobody has heard of the payment provider for long",
        first(provider("before"), card="approve"),
        says=SILENT,
        names="payment provider",
        within=10,
        to_do="See whether it is there and can be reached. What waits for it goes on by itself.",
        alarm="provider-silent",
        also=(LATE, "waits for the payment provider"),
    ),
    Cause(
        "the payment provider fails",
        first(provider("error"), card="approve"),
        says="waits for the payment provider",
        names="settlement",
        within=12,
        to_do=_PROVIDER,
        also=(SILENT, LATE),
    ),
    Cause(
        "whether the payment provider has taken the money is not known",
        first(provider("after"), card="approve"),
        says="waits for the payment provider",
        names="settlement",
        within=12,
        to_do=_PROVIDER,
        also=(SILENT, LATE),
        passes=True,
    ),
    Cause(
        "the payment provider takes its time",
        first(provider("slow"), card="approve"),
        says="waits for the payment provider",
        names="settlement",
        within=2,
        wrong=False,
        passes=True,
    ),
    Cause(
        "the payment provider lets nobody in",
        first(provider("outside"), card="approve"),
        says=_LOCKED_OUT,
        names="settlement",
        within=5,
        alarm="provider-refuses-us",
        also=(LATE, "waits for the payment provider, which does not let the store in"),
    ),
    Cause(
        "an order waits for a payment provider that lets nobody in",
        first(provider("outside"), card="approve"),
        says="waits for the payment provider, which does not let the store in",
        names="settlement",
        within=5,
        to_do="Mend the settings of the payment provider, as the alarm says.",
        also=(LATE, _LOCKED_OUT),
    ),
    Cause(
        "the payment provider does not answer a refund",
        later("settled", provider("before"), cancels, before=(off("sorter-1"),), card="approve"),
        says="waits for the payment provider to give the money back",
        names="settlement",
        within=15,
        to_do=_PROVIDER,
        also=(SILENT,),
    ),
    Cause(
        "the payment provider refuses a refund",
        later("settled", cancels, before=(off("sorter-1"),), card="norefund"),
        says=_REFUSED,
        names="{order}",
        within=5,
        to_do="Pay it by hand and say so, or have the provider asked again.",
        alarm="refund-refused",
        also=("waits for its money: the payment provider refused to give it back",),
    ),
    Cause(
        "an order waits for money that the payment provider refused to give back",
        later("settled", cancels, before=(off("sorter-1"),), card="norefund"),
        says="waits for its money: the payment provider refused to give it back",
        names="settlement",
        within=5,
        to_do="R resolves it, or storebus resolve {order}: paid by hand, or asked again.",
        also=(_REFUSED,),
    ),
    Cause(
        "money is refused for an order whose parcel is there",
        later("reminded", cancels, card="norefund"),
        says="waits for its money: the payment provider refused to give it back",
        names="settlement",
        within=5,
        to_do="R resolves it, or storebus resolve {order}: paid by hand, or asked again.",
        also=(PUT_BACK, _REFUSED),
    ),
    Cause(
        "the payment provider lets nobody in who wants money back",
        later("settled", provider("outside"), cancels, before=(off("sorter-1"),), card="approve"),
        says="waits for the payment provider, which does not let the store in",
        names="settlement",
        within=5,
        to_do="Mend the settings of the payment provider, as the alarm says.",
        also=(_LOCKED_OUT,),
    ),
    Cause(
        "the card is declined",
        _declined,
        says="card declined",
        names="terminal-1",
        within=2,
        wrong=False,
    ),
    Cause(
        "the account does not hold enough",
        _poor_customer,
        says="The account does not hold enough.",
        names="terminal-1",
        within=2,
        wrong=False,
    ),
    Cause(
        "the customer is unknown",
        _unknown_customer,
        says="There is no such account.",
        names="terminal-1",
        within=2,
        wrong=False,
    ),
)

GOODS = (
    Cause(
        "a style is almost sold out",
        _scarce,
        says="SCARF: 2 left",
        names="SCARF",
        to_do="Bring goods in, here or with storebus import, or retire it (R on the stock screen).",
        within=5,
        alarm="low-stock",
    ),
    Cause(
        "the goods are sold out",
        _sold_out,
        says="Not enough left: 3 of SCARF.",
        names="terminal-1",
        within=5,
        wrong=False,
    ),
    Cause(
        "the goods are nowhere to be found",
        first(finds("sorter-1", 0)),
        says="1 of MUG could not be found",
        names="terminal-1",
        within=20,
        wrong=False,
        also=(SHORT, "MUG: 0 left"),
    ),
    Cause(
        "a sorter finds too few of a style",
        first(finds("sorter-1", 0)),
        says=SHORT,
        names="MUG A-02-1",
        within=20,
        to_do="Look for them, and count there: C on the stock screen, or storebus stock count.",
        alarm="short-pick",
        also=("1 of MUG could not be found", "MUG: 0 left"),
    ),
)

CUSTOMERS = (
    Cause(
        "the customer does not collect",
        later("reminded"),
        says="waits for the customer to collect it",
        names="terminal-1",
        within=15,
        wrong=False,
    ),
    Cause(
        "nobody has collected the parcel in time",
        first(),
        says="waits for its goods to be put back on their shelves",
        names="warehouse",
        within=80,
        to_do=_BACK,
        also=(PUT_BACK, "waits for its goods to be put back on their shelves"),
        expires=60,
        lasts=150,
    ),
    Cause(
        "the customer cancels when the parcel is there",
        later("reminded", cancels),
        says="waits for its goods to be put back on their shelves",
        names="warehouse",
        within=5,
        to_do=_BACK,
        also=(PUT_BACK,),
    ),
    Cause(
        "the customer cancels, and the money of another is refused",
        _after_a_refused_one,
        says="waits for its goods to be put back on their shelves",
        names="warehouse",
        within=5,
        to_do=_BACK,
        also=(
            PUT_BACK,
            _REFUSED.replace("{order}", "{other}"),
            "waits for its money: the payment provider refused to give it back",
        ),
    ),
    Cause(
        "the customer cancels while the goods are conveyed",
        _cancelled_underway,
        says="waits for its goods to be put back on their shelves",
        names="warehouse",
        within=10,
        to_do=_BACK,
        also=(PUT_BACK,),
    ),
)

CAUSES = (*MONEY, *GOODS, *CUSTOMERS)
