"""Prices as people write them in a table, and the currencies they are in.

It must not use floats or decimals: a price becomes an integer of minor units at once.
"""

import re

from devices.terminal.price import minor_digits

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
"""ISO 4217, the currencies in use."""


def amount_from(text: str, currency: str) -> int:
    """Read a price such as `59.00` as minor units of its currency.

    Raises:
        ValueError: an unknown currency, or not a positive number with its decimal places.
    """
    if currency not in CURRENCIES:
        raise ValueError(f"currency: {currency[:10]!r} is not an ISO 4217 code")
    digits = minor_digits(currency)
    places = rf"(?:\.([0-9]{{{digits}}}))?" if digits else "()"
    match = re.fullmatch(rf"([0-9]{{1,13}}){places}", text)
    if match is None:
        example = f"59.{'0' * digits}" if digits else "59"
        raise ValueError(f"price: {text[:40]!r} is not written like {example}, as {currency} is")
    amount: int = int(match[1]) * 10**digits + int(match[2] or 0)
    if amount == 0:
        raise ValueError("price: it must be more than nothing")
    return amount
