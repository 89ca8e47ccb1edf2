"""Codes of currencies that a company may count in.

Source: ISO 4217, list one (current currencies and funds) as published by SIX, the standard's maintenance agency, with its
amendments up to 1 January 2026, when the Bulgarian lev was withdrawn. Left out are the codes that are no money to count
in: precious metals, units of bond markets, accounts among banks, the code for tests and XXX, "no currency". From list
three (withdrawn codes) those are taken that lasted until 2010 or later, since a company's books of that time are in them.
"""

from __future__ import annotations

from typing import Final

from kpi.errors import did_you_mean

_CURRENT: Final = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP
    CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
    IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST XAF
    XCD XCG XDR XOF XPF YER ZAR ZMW ZWG
"""
_WITHDRAWN: Final = "ANG BGN BYR CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL"

#: What a wrong code is likely to be meant for: of any three letters another code is one letter away.
_USUAL: Final = ("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "JPY", "CNY", "INR", "CAD", "AUD", "BRL", "MXN")
#: Every code that is accepted, in alphabetical order.
CODES: Final = tuple(sorted((_CURRENT + _WITHDRAWN).split()))


def wrong(text: str) -> str:
    """What is wrong with a code that somebody wrote, in a sentence; nothing where it is one."""
    if text in CODES:
        return ""
    near = did_you_mean(text, _USUAL) or "; write its three capital letters, such as EUR, USD or GBP"
    return f'"{text}" is no currency of ISO 4217{near}'
