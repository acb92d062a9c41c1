"""The table of planted causes, for people."""

from collections.abc import Iterable, Iterator

from bus.text.wrap import wrapped
from simulation.causes.cause import Cause, Verdict

_ROOM = 92
"""Cells for a sentence."""
_BY_ITSELF = "nothing"
_SAID = "as it says"


def lines(number: int, cause: Cause, verdict: Verdict) -> Iterator[str]:
    """A cause, what was said of it, after how long, and what to do; what is wrong with that."""
    yield f"{number:>3} {'✔' if verdict.right else '✖'} {cause.cause}"
    if verdict.seconds is None:
        said = verdict.said.sentence if verdict.said is not None else "nothing"
        yield from _text("wanted", cause.says)
        yield from _text("said", said)
    else:
        sentence = verdict.said.sentence if verdict.said is not None else cause.says
        late = "" if verdict.seconds <= cause.within else f", later than {cause.within:g} s"
        yield from _text(f"{verdict.seconds:5.1f} s", sentence + late)
        yield from _text("to do", _advice(cause, verdict))
    for sentence in verdict.untrue:
        yield from _text("untrue", sentence)


def summary(verdicts: Iterable[Verdict]) -> str:
    """How many were right."""
    right = [verdict.right for verdict in verdicts]
    return f"{sum(right)} of {len(right)} right"


def _advice(cause: Cause, verdict: Verdict) -> str:
    if verdict.said is not None and verdict.said.to_do:
        return verdict.said.to_do
    return _SAID if cause.wrong else _BY_ITSELF


def _text(heading: str, text: str) -> Iterator[str]:
    for at, line in enumerate(wrapped(text, _ROOM)):
        yield f"      {heading if not at else '':>7}  {line}"
