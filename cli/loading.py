"""`storebus load`: many customers at once, what they lived through, and a count of the books."""

import asyncio
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from audit import AuditResult
from bus.contract.errors import ConfigurationError
from bus.text.console import errors, output
from bus.text.duration import EXAMPLES
from cli import completion, options
from cli.auditing import document
from cli.customer import parse_payment
from cli.run import run
from store.address import broker_url
from store.exit_codes import REFUSED
from store.settings import read_settings
from testing.kit.show import show_json, warn
from testing.load.load_counts import LoadCounts
from testing.load.plan import KINDS, LoadPlan, parse_duration, parse_mix, parse_rate, terminal_names
from testing.load.plot import plot
from testing.load.report import advice, as_json, as_table
from testing.load.session import Load, Outcome, audit_books, run_load

_LOOK = 0.2
"""Seconds between two looks at the progress."""
_SHOWN = 20
"""The most findings that are printed."""
_MIX_HELP = "; ".join(f"{kind}: {meaning}" for kind, meaning in KINDS.items())


def load(
    terminals: Annotated[int, typer.Option(metavar="N", help="How many, each with its name.")] = 10,
    rate: Annotated[
        str, typer.Option(metavar="R", help="Arrivals a second, evenly spaced, from all together.")
    ] = "20",
    duration: Annotated[
        str, typer.Option(metavar="D", help=f"Such as {EXAMPLES}; up to 24h.")
    ] = "30s",
    mix: Annotated[
        str,
        typer.Option(
            metavar="KIND=WEIGHT,...",
            help=f"What arrives. {_MIX_HELP}.",
            autocompletion=completion.mix,
        ),
    ] = "scan=5,buy=1",
    pay: options.Pay = "account:C-1001",
    stock: Annotated[
        bool, typer.Option("--stock", help="First bring in goods and money for all of it.")
    ] = False,
    durable: Annotated[
        bool,
        typer.Option(
            "--durable",
            help="Real terminals, which write everything down in --data. Otherwise they only ask,"
            " repeat and answer reminders, and store nothing: that costs this machine less.",
        ),
    ] = False,
    first: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=10_000_000,
            help="Number of the first terminal; these names should be the load's own.",
        ),
    ] = 1001,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds until one counts as not answered."),
    ] = None,
    at_once: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=100_000,
            help="The most that wait for an answer; the others are counted as not sent.",
        ),
    ] = 2_000,
    settle: Annotated[
        float,
        typer.Option(
            metavar="S", min=0.1, max=86_400, help="Seconds to wait for reminders at the end."
        ),
    ] = 30.0,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    as_json_: options.AsJson = False,
) -> None:
    """Let customers arrive at a fixed rate, however slow the store is, and audit its books.

    A latency counts from when the arrival was due. Every purchase that was told settled is asked
    after at the end; the books are audited where the store's folder is known. Ends with 1 when
    anything was refused, left unanswered or not sent, or when the books are wrong. Ctrl-C ends the
    arrivals and prints what there is.

    Example: storebus load --terminals 20 --rate 50 --duration 1m --mix scan=5,buy=1 --stock
    """  # fmt: skip
    if timeout is not None and not 0 < timeout <= 3600:  # noqa: PLR2004 - an hour
        raise ConfigurationError("--timeout takes seconds, up to 3600.")
    plan = LoadPlan(parse_rate(rate), parse_duration(duration), parse_mix(mix), at_once, timeout)
    names = terminal_names(terminals, first)
    payment = parse_payment(pay)
    settings = read_settings(site=site, data=data, purchase_patience=timeout)
    is_remote = data is None and (broker is not None or settings.broker.url is not None)
    url = broker_url(broker, settings)
    task = Load(plan, names, payment, stock, durable, settle, url, settings)
    outcome = run(_run(task))
    audited = audit_books(None if is_remote else settings.data, outcome)
    if as_json_:
        show_json(_document(task, outcome, audited))
    else:
        _print(outcome, audited)
    if outcome.wrong or (audited and audited.findings) or not outcome.counts.all_answered:
        raise typer.Exit(REFUSED)


async def _run(task: Load) -> Outcome:
    total = task.plan.arrivals
    with Progress(
        TextColumn("sent"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False), TimeRemainingColumn(),
        console=errors, disable=not errors.is_terminal, transient=True,
    ) as bar:  # fmt: skip
        progress = bar.add_task("", total=total)

        async def show(counts: LoadCounts) -> None:
            while True:
                sent = sum(each.sent + each.not_sent for each in counts.kinds.values())
                waiting = f"{counts.under_way} wait for an answer"
                bar.update(progress, completed=sent, description=waiting)
                await asyncio.sleep(_LOOK)

        return await run_load(task, warn, lambda counts: asyncio.create_task(show(counts)))


def _print(outcome: Outcome, audited: AuditResult | None) -> None:
    counts = outcome.counts
    output.print(as_table(counts))
    latencies = {kind: sorted(counted.seconds) for kind, counted in counts.kinds.items()}
    output.print(Text("\n").append_text(plot(latencies, output.width)))
    output.print(
        f"\n{counts.seconds:.1f} s from the first arrival to the last answer."
        " Latencies are in ms, of what was answered, from when it was due;"
        f" the load itself sent {counts.lateness * 1000:.1f} ms late at most.",
        soft_wrap=True,
    )
    purchases = outcome.purchases
    if purchases.settled:
        output.print(
            f"{len(purchases.settled)} orders, {purchases.reminded} customers reminded,"
            f" {len(purchases.awaited)} still wait.",
        )
    for note in (*outcome.notes, *advice(counts)):
        warn(f"{note}.")
    if outcome.checked and not outcome.wrong:
        output.print("The store says of every purchase what it told the customer.")
    for sentence in outcome.wrong[:_SHOWN]:
        output.print(Text(f"Wrong: {sentence}"), soft_wrap=True)
    if audited is None:
        return
    for finding in audited.findings[:_SHOWN]:
        output.print(Text(f"Wrong: {finding}"), soft_wrap=True)
    if audited.findings:
        output.print(f"The books are wrong: {len(audited.findings)} findings.")
    else:
        output.print(f"The books balance: {audited.checked.total()} checks.")


def _document(task: Load, outcome: Outcome, audited: AuditResult | None) -> dict[str, Any]:
    purchases = outcome.purchases
    return {
        "rate": task.plan.rate,
        "duration": task.plan.seconds,
        "mix": dict(task.plan.mix),
        "terminals": len(task.terminals),
        "durable": task.durable,
        "stopped": outcome.stopped,
        **as_json(outcome.counts),
        "orders": len(purchases.settled),
        "reminded": purchases.reminded,
        "not_reminded": len(purchases.awaited),
        "checked": outcome.checked,
        "wrong": outcome.wrong,
        "audit": None if audited is None else document(audited),
        "notes": [*outcome.notes, *advice(outcome.counts)],
    }
