"""Prices as people write them in a table, and their currencies.

It must not use floats or decimals: a price becomes an integer of minor units immediately.
"""

import re
from functools import cache

from babel.numbers import get_currency_symbol

from commerce.price import minor_digits

_IN_USE = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW
KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR
MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""

CURRENCIES = frozenset(_IN_USE.split())
"""The ISO 4217 currencies in use."""
_LOCALES = ("en", "zh_Hans", "zh_Hant", "de", "pl", "cs", "sv", "tr", "ja")


def amount_from(text: str, currency: str) -> int:
    """Read a price such as `59.00`, `59.9` or `€59` as minor units of its currency.

    Raises:
        ValueError: the currency is unknown, the sign is another's, or the number is not positive or
            has more decimal places than the currency.
    """
    if currency not in CURRENCIES:
        raise ValueError(f"currency: {currency[:10]!r} is not an ISO 4217 code")
    digits = minor_digits(currency)
    match = re.fullmatch(r"(\D*?)\s*([0-9]{1,13})(?:\.([0-9]{1,9}))?\s*(\D*)", text)
    sign = (match[1] or match[4]) if match else ""
    places = (match[3] or "").rstrip("0") if match else ""
    if match is None or (match[1] and match[4]) or len(places) > digits:
        raise _not_a_price(text, currency)
    if sign and not stands_for(sign, currency):
        if any(stands_for(sign, each) for each in CURRENCIES):
            raise ValueError(f"price: {text[:40]!r} is not in {currency}")
        raise _not_a_price(text, currency)
    amount: int = int(match[2]) * 10**digits + int(places.ljust(digits, "0") or 0)
    if amount == 0:
        raise ValueError("price: it must be more than 0")
    return amount


def stands_for(sign: str, currency: str) -> bool:
    """Whether people write this for a currency: `€` or `eur` for EUR."""
    return sign in _signs(currency) or sign.upper() == currency


def _not_a_price(text: str, currency: str) -> ValueError:
    digits = minor_digits(currency)
    example = f"59.{'0' * digits}" if digits else "59"
    return ValueError(f"price: {text[:40]!r} is not written like {example}, as {currency} is")


@cache
def _signs(currency: str) -> frozenset[str]:
    """What people write for a currency: `EUR`, `€`; for `NT$` also `$`."""
    signs = {get_currency_symbol(currency, locale) for locale in _LOCALES}
    return frozenset({currency, *signs, *(sign[-1] for sign in signs if not sign[-1].isalnum())})
