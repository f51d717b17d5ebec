"""Money: whole minor units of one currency, read and written without loss.

Nothing here uses binary floating point. A currency's exponent (how many decimals its minor unit has) is ISO 4217's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

MAX_MINOR_DIGITS: Final = 36
"""Digits of minor units an amount may have: what Modern Treasury's ledger accepts and ``numeric(36,0)`` stores."""

_CODES: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP
        CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR
        IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
        NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
        STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
}

EXPONENTS: Final = {code: exponent for exponent, codes in _CODES.items() for code in codes.split()}
"""Decimals of each ISO 4217 currency's minor unit."""

_EXACT: Final = Context(prec=2 * MAX_MINOR_DIGITS, Emin=MIN_EMIN, Emax=MAX_EMAX)
"""Decimal arithmetic wide enough for the longest text :func:`parse_minor` reads, so that it never rounds."""


class AmountError(ValueError):
    """An amount that cannot be held exactly in its currency's minor units."""


def exponent_of(currency: str) -> int:
    """Decimals of the currency's minor unit; raises :class:`AmountError` for a code that is not ISO 4217."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise AmountError(f"{currency!r} is not an ISO 4217 currency code") from None


def unit_label(currency: str, exponent: int) -> str:
    """What a person reads of a currency: its code, with the decimals of its minor unit where ISO 4217 has others."""
    return currency if EXPONENTS.get(currency) == exponent else f"{currency} (exponent {exponent})"


def parse_minor(text: str, currency: str) -> int:
    """Major-unit decimal text (``"400.00"``) as minor units (``40000``).

    Raises :class:`AmountError` when the text is no finite decimal, is finer than the minor unit, or is longer than
    :data:`MAX_MINOR_DIGITS`.
    """
    if len(text) > MAX_MINOR_DIGITS * 2:
        raise AmountError(f"an amount may have at most {MAX_MINOR_DIGITS} digits of minor units")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise AmountError(f"{text!r} is not a decimal amount") from None
    if not value.is_finite():
        raise AmountError(f"{text!r} is not a finite amount")
    exponent = exponent_of(currency)
    if not value:
        return 0
    if value.adjusted() + exponent >= MAX_MINOR_DIGITS:
        raise AmountError(f"an amount may have at most {MAX_MINOR_DIGITS} digits of minor units")
    # Whole powers of ten move the decimal point and nothing else, so an exponent of a billion costs no more than one.
    minor = int(scaled := value.scaleb(exponent, _EXACT))
    if minor != scaled:
        raise AmountError(f"{text} is finer than the minor unit of {currency} ({exponent} decimals)")
    return minor


def format_major(minor: int, currency: str) -> str:
    """Minor units as major-unit decimal text with exactly the currency's decimals: ``-40000`` GBP is ``-400.00``."""
    return format_minor(minor, exponent_of(currency))


def format_minor(minor: int, exponent: int) -> str:
    """Minor units of whatever has ``exponent`` decimals as major-unit decimal text with exactly these decimals."""
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency, in minor units. Arithmetic refuses to mix currencies."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read major-unit decimal text; raises :class:`AmountError`, see :func:`parse_minor`."""
        return cls(parse_minor(text, currency), currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise AmountError(f"{self.currency} and {other.currency} cannot be added")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{format_major(self.minor, self.currency)} {self.currency}"


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Sum of amounts of one currency; zero of that currency when there are none."""
    result = Money(0, currency)
    for amount in amounts:
        result += amount
    return result


def share(amount: Money, fractions: Sequence[Fraction]) -> tuple[list[Money], Money]:
    """Each fraction's part of ``amount``, rounded half-even to the minor unit, and the residual (contract, section 5).

    The parts and the residual always sum to ``amount``. Fractions must be non-negative and sum to at most one. Where
    half-even rounding of every part would together exceed the amount, the last parts give way so that the residual
    never turns against its sign.
    """
    if any(f < 0 for f in fractions) or sum(fractions) > 1:
        raise AmountError("shares must be non-negative and sum to at most one")
    parts: list[Money] = []
    left = abs(amount.minor)
    for fraction in fractions:
        part = min(round(abs(amount.minor) * fraction), left)
        left -= part
        parts.append(Money(part if amount.minor >= 0 else -part, amount.currency))
    return parts, Money(left if amount.minor >= 0 else -left, amount.currency)
