"""Two groups side by side: the difference of their means or shares, with an interval and a probability.

What belongs here: the arithmetic, which knows nothing of authorities. What does not: which groups and which measures
(`groups_compared`), and adjusting for the number of tests (`evidence`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from pipeline import limits

Floats = npt.NDArray[np.float64]

WELCH, NEWCOMBE, FISHER = "welch", "newcombe_wilson", "fisher_exact"


@dataclass(frozen=True)
class Difference:
    """First group less second: `value` with its limits, and the two-sided `p`; means in their own unit, shares 0 to 1.

    `statistic` is Welch's t and `df` its degrees of freedom; a comparison of shares has neither.
    """

    value: float
    low: float
    high: float
    p: float
    statistic: float | None = None
    df: float | None = None


def welch(first: Floats, second: Floats, confidence: float) -> Difference:
    """Difference of two means without taking the spreads to be equal (Welch 1947, Biometrika 34:28).

    se^2 = s1^2/n1 + s2^2/n2; df = se^4 / ((s1^2/n1)^2/(n1-1) + (s2^2/n2)^2/(n2-1)). Needs two values a group and some
    spread in one of them: ValueError without.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError("a spread needs two values")
    parts = [float(np.var(group, ddof=1)) / len(group) for group in (first, second)]
    variance = sum(parts)
    if variance == 0:
        raise ValueError("neither group has any spread")
    df = variance**2 / sum(part**2 / (len(group) - 1) for part, group in zip(parts, (first, second), strict=True))
    value, se = float(np.mean(first) - np.mean(second)), math.sqrt(variance)
    t = value / se
    half = float(special.stdtrit(df, 0.5 + confidence / 2)) * se
    return Difference(value, value - half, value + half, 2 * float(special.stdtr(df, -abs(t))), t, df)


def shares(first_yes: int, first_n: int, second_yes: int, second_n: int, confidence: float) -> Difference:
    """Difference of two shares: Newcombe's limits from Wilson's, and Fisher's exact probability. Needs n above 0 each.

    Newcombe 1998 (Stat Med 17:873), method 10: with p the shares and l, u their Wilson limits, the distances from the
    difference are sqrt((p1 - l1)^2 + (u2 - p2)^2) below and sqrt((u1 - p1)^2 + (p2 - l2)^2) above.
    """
    yes, n = np.array([first_yes, second_yes]), np.array([first_n, second_n])
    p1, p2 = (yes / n).tolist()
    low, high = limits.wilson(yes, n, confidence)
    (l1, l2), (u1, u2) = low.tolist(), high.tolist()
    value = p1 - p2
    return Difference(
        value,
        value - math.hypot(p1 - l1, u2 - p2),
        value + math.hypot(u1 - p1, p2 - l2),
        fisher_exact(first_yes, first_n, second_yes, second_n),
    )


def fisher_exact(first_yes: int, first_n: int, second_yes: int, second_n: int) -> float:
    """Two-sided: the probability of all tables with these margins that are no likelier than the one seen."""
    yes = first_yes + second_yes
    lowest, highest = max(0, yes - second_n), min(yes, first_n)
    # Whole numbers, so that tables as likely as each other are so exactly; each from the one before, as they are long.
    ways = [math.comb(first_n, lowest) * math.comb(second_n, yes - lowest)]
    for x in range(lowest, highest):
        ways.append(ways[-1] * ((first_n - x) * (yes - x)) // ((x + 1) * (second_n - yes + x + 1)))
    seen = ways[first_yes - lowest]
    return sum(count for count in ways if count <= seen) / sum(ways)
