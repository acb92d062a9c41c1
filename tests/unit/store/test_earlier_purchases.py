"""What a terminal's command says of a purchase for which nobody waited any more."""

import pytest

from bus.contract.errors import Expired
from bus.contract.refusals import SoldOut
from devices.terminal.domain import Bought
from store.terminal import show_outcome


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (
            Expired("The deadline passed 0.002 s ago; this was not begun."),
            "was not made: the store could not begin the purchase in time. Nothing was charged.",
        ),
        (SoldOut("Not enough left: 1 of MUG."), "was not made: Not enough left: 1 of MUG."),
    ],
)
def test_a_refusal_says_that_nothing_was_bought_and_why(
    problem: Expired | SoldOut, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_outcome(Bought("m-1", "refused", problem=problem.to_data()))
    out, err = capsys.readouterr()
    assert out == "", "the output may be a receipt in JSON"
    assert said in err
