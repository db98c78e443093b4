"""How many customers a trial needs: some receive a campaign by lot, others are held out, and the two are compared."""

from bisect import bisect_left
from dataclasses import dataclass
from math import ceil, sqrt

from scipy import stats


@dataclass(frozen=True)
class TrialSize:
    """Customers per arm: who receives the campaign, and who is held out."""

    received: int
    held_out: int

    @property
    def total(self) -> int:
        """Both arms."""
        return self.received + self.held_out


def trial_for_shares(
    share: float, effect: float, *, power: float, level: float, held_out_share: float = 0.5
) -> TrialSize:
    """The fewest customers among whom a rise of a ``share`` by ``effect`` is seen with probability ``power``.

    ``share`` is that of those held out, ``effect`` the difference of shares (negative: a fall), both in units of 1. The
    test is two-sided at ``level``, of two proportions, without correction of continuity (Fleiss, Levin & Paik 2003,
    section 4.4).

    >>> trial_for_shares(0.05, 0.02, power=0.8, level=0.05)
    TrialSize(received=2213, held_out=2213)
    """
    _check(effect, power, level, held_out_share)
    if not (0 < share < 1 and 0 < share + effect < 1):
        raise ValueError(f"Both shares must be above 0 and below 1; got {share} and {share + effect:g}.")
    ratio, risen = held_out_share / (1 - held_out_share), share + effect
    pooled = (risen + ratio * share) / (1 + ratio)
    null = sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    alternative = sqrt(risen * (1 - risen) + share * (1 - share) / ratio)
    reach = stats.norm.isf(level / 2) * null + stats.norm.ppf(power) * alternative
    return _sized(float(reach / effect) ** 2, ratio)


def trial_for_means(
    deviation: float, effect: float, *, power: float, level: float, held_out_share: float = 0.5
) -> TrialSize:
    """The fewest customers among whom a difference ``effect`` of means is seen with probability ``power``.

    ``deviation`` is the standard deviation of the response within an arm, in the unit of ``effect``. The test is
    Student's for two samples, two-sided at ``level``; its power is that of the non-central t law (Cohen 1988, ch. 2).

    >>> trial_for_means(1.0, 0.5, power=0.8, level=0.05)
    TrialSize(received=64, held_out=64)
    """
    _check(effect, power, level, held_out_share)
    if not deviation > 0:
        raise ValueError(f"The standard deviation of a response must be above 0; got {deviation}.")
    ratio = held_out_share / (1 - held_out_share)
    enough = 2
    while _seen(_sized(enough, ratio), deviation, effect, level) < power:
        enough *= 2
    sizes = range(2, enough + 1)
    place = bisect_left(sizes, power, key=lambda received: _seen(_sized(received, ratio), deviation, effect, level))
    return _sized(sizes[place], ratio)


def _seen(size: TrialSize, deviation: float, effect: float, level: float) -> float:
    freedom = size.total - 2
    away = abs(effect) / deviation / sqrt(1 / size.received + 1 / size.held_out)
    bound = stats.t.isf(level / 2, freedom)
    return float(stats.nct.sf(bound, freedom, away) + stats.nct.cdf(-bound, freedom, away))


def _sized(received: float, ratio: float) -> TrialSize:
    arms = (max(2, ceil(round(one, 6))) for one in (received, received * ratio))  # 872.0000001 customers are 872
    return TrialSize(*arms)


def _check(effect: float, power: float, level: float, held_out_share: float) -> None:
    if not abs(effect) > 0:
        raise ValueError(f"The smallest effect to be seen must not be 0; got {effect}.")
    for name, value in (("power", power), ("level", level), ("held_out_share", held_out_share)):
        if not 0 < value < 1:
            raise ValueError(f"{name} of a trial must be above 0 and below 1; got {value}.")
