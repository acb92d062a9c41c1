"""Gives each order a trace of its own, from its first message to its last."""

import sqlite3

from bus.contract.envelope import child_trace, trace_id
from bus.runtime.environment import Environment

_KEPT = 100_000
"""How many orders, the youngest ones, have their traces kept."""


def order_trace(
    connection: sqlite3.Connection, order: str, trace: str | None, environment: Environment
) -> str:
    """A new span in an order's trace, as a traceparent (W3C Trace Context 3.2).

    Args:
        connection: the journal's.
        order: which.
        trace: the traceparent that becomes the order's if it has none yet, unless it is another's.
        environment: makes the span.
    """
    known = known_trace(connection, order, environment)
    if known is not None:
        return known
    span = environment.span()
    begun = child_trace(trace, span)
    if connection.execute(
        "SELECT 1 FROM order_trace WHERE trace = ?", (trace_id(begun),)
    ).fetchone():  # a device that names the same trace each time
        begun = child_trace(None, span)
    connection.execute(
        "INSERT INTO order_trace (order_id, trace) VALUES (?, ?)", (order, trace_id(begun))
    )
    connection.execute(
        "DELETE FROM order_trace WHERE number <= (SELECT max(number) FROM order_trace) - ?",
        (_KEPT,),
    )
    return begun


def known_trace(connection: sqlite3.Connection, order: str, environment: Environment) -> str | None:
    """A new span in an order's trace; None if the order has no trace yet."""
    row = connection.execute(
        "SELECT trace FROM order_trace WHERE order_id = ?", (order,)
    ).fetchone()
    return None if row is None else f"00-{row['trace']}-{environment.span()}-01"
