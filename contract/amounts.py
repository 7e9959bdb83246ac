"""Write amounts for readers."""

from __future__ import annotations


def amount(value: float) -> str:
    """Return an amount: with millions in words, or else to the unit or to three digits."""
    for size, name in ((1_000_000_000, "billion"), (1_000_000, "million")):
        if abs(value) >= size:
            return f"{value / size:,.1f} {name}"
    return f"{value:,.0f}" if abs(value) >= 100 else digits(value)


def digits(value: float) -> str:
    """Return a number to two decimals, or to two significant digits if it is below 0.1.

    Only 0 is shown as 0, so an amount that is small never looks like nothing.
    """
    if value == 0:
        return "0.00"
    return f"{value:,.2f}" if abs(value) >= 0.1 else f"{float(f'{value:.2g}'):.12f}".rstrip("0")


def chance(probability: float) -> str:
    """Return a probability from draws as a percentage; draws never make anything certain."""
    if probability > 0.99:
        return "above 99%"
    return f"{probability:.0%}" if probability >= 0.01 else "below 1%"
