"""When an effect of promotions may be told: declared before the study runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EffectRule:
    """When an effect may be told, and how it is estimated; declared before the study.

    At least ``fewest_responders`` customers responded; at least ``least_overlap`` of those who received are kept as
    comparable; both arms weigh as much as ``fewest_effective`` customers; no covariate differs by more than
    ``most_imbalance`` standard deviations (0.1: Austin 2009) and by more than chance; and the placebo is not
    distinguishable from 0. ``level`` is the error of these two checks, ``confidence`` that of the intervals.

    Raises:
        ValueError: a number is out of its range.
    """

    fewest_responders: int = 30
    fewest_effective: int = 30
    least_overlap: float = 0.5
    most_imbalance: float = 0.1
    level: float = 0.05
    confidence: float = 0.95
    folds: int = 5
    repeats: int = 1

    def __post_init__(self) -> None:
        for name, least in (("fewest_responders", 1), ("fewest_effective", 3), ("folds", 2), ("repeats", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(
                    f"stage.settings.effect.{name} must be a whole number of at least {least}; got {value!r}."
                )
        for name in ("least_overlap", "most_imbalance", "level", "confidence"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, float | int) or not 0 < value < 1:
                raise ValueError(f"stage.settings.effect.{name} must be above 0 and below 1; got {value!r}.")
