"""Ends a withdrawal when all goods of its job are back on their shelves."""

from bus.contract.catalog import OrderOnly
from bus.contract.warehouse import WITHDRAW
from bus.runtime.unit_of_work import UnitOfWork
from nodes.warehouse import domain, returns


def finish_withdrawal(unit: UnitOfWork, job: domain.Job) -> domain.Job:
    """If all goods of a job are back, answer whoever asked for the withdrawal.

    Returns:
        The job, which is to be saved.
    """
    after = domain.finish_withdrawal(job, is_back=returns.is_back(unit.connection, job.id))
    if after != job:
        assert job.withdrawer is not None
        assert job.withdrawal is not None
        unit.answer(WITHDRAW, job.withdrawer, job.withdrawal, OrderOnly(order=job.order))
    return after
