"""The URL on the label of a trade item."""

from bus.contract.values import gtin14
from bus.contract.refusals import (LabelError)


def digital_link(domain: str, gtin: str) -> str:
    """The GS1 Digital Link of a trade item (GS1 Digital Link URI Syntax 1.6).

    Raises:
        LabelError: `gtin` is not a valid GTIN-8, -12, -13 or -14.
    """
    try:
        return f"https://{domain}/01/{gtin14(gtin)}"
    except ValueError as error:
        raise LabelError(f"No link can be made of {gtin!r}: {error}.") from error
