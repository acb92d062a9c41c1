"""Prices as people read them; everywhere else they are integers in minor units. Pure."""

from bus.contract.values import Money

_MINOR_DIGITS = dict.fromkeys(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
        *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    ),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)


def minor_digits(currency: str) -> int:
    """The number of decimal places of an ISO 4217 currency."""
    return _MINOR_DIGITS.get(currency, 2)


def price_text(amount: int, currency: str) -> str:
    """An amount in minor units as people read it: `59.00 EUR` for 5900."""
    digits = minor_digits(currency)
    whole, part = divmod(abs(amount), 10**digits)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}{f'.{part:0{digits}}' if digits else ''} {currency}"


def money_text(money: Money) -> str:
    """An amount of money as people read it: `59.00 EUR`."""
    return price_text(money.amount, money.currency)
