"""When every kind of basket is bought: weekend against weekdays, working hours against other hours, as ratios."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.features.stores import UNKNOWN_FORMAT
from aisle.tables import BASKET_SIZES, BASKET_TYPES, MISSIONS

Values = npt.NDArray[np.float64]

EVERY: Final = "all"
"""All stores, and all kinds of baskets."""
WEEKEND, WORKING = "weekend", "working hours"
CONTRASTS: Final = {WEEKEND: "weekdays", WORKING: "other hours"}
"""What is compared with what."""
KINDS: Final = {"basket_size": BASKET_SIZES, "basket_type": BASKET_TYPES, "dominant_mission": MISSIONS}
RHYTHM: Final = {
    "contrast": "string",
    "format": "string",
    "kind": "string",
    "value": "string",
    "store_count": "int64",
    "basket_count": "int64",
    **{f"{name}{end}": "float64" for name in ("ratio", "relative", "spend_ratio") for end in ("", "_low", "_high")},
}
_TOLD = {
    WEEKEND: ("On a day of the weekend", "on a weekday"),
    WORKING: ("In a working hour of Monday to Friday", "in another hour"),
}
_SATURDAY = 5
_DAYS = {True: 2, False: 5}
_TAIL = 2.5


def rhythm(
    baskets: pd.DataFrame, *, working: Sequence[int], opening: Sequence[int], draws: int, seed: int
) -> pd.DataFrame:
    """Ratios of every kind of basket, a row per contrast, format and kind; columns `RHYTHM`.

    ``baskets``: store_id, store_format (may be null), shopped_at, cents (the spend) and the columns of `KINDS`.
    ``working`` and ``opening`` are [from, before], full hours. ``ratio`` is the number of baskets on a day of the
    weekend over that on a weekday, or in an hour of the working hours of Monday to Friday over that in another hour of
    ``opening`` on these days: 1 = as many. ``relative`` is that ratio over the one of all baskets: above 1 the kind is
    more of a weekend's than baskets are. ``spend_ratio`` compares the mean spend of a basket. ``_low`` and ``_high``
    are the ends of the 95 % interval from ``draws`` bootstrap samples of the stores (percentiles), drawn with ``seed``.
    A ratio without baskets on one side is NaN. Baskets of undefined kind count in "all" only, those outside ``opening``
    in no hours.

    Raises:
        ValueError: hours are not within a day, or leave none to compare with.
    """
    _check_hours(working, opening)
    marked = _marked(baskets.reset_index(drop=True), working, opening)
    stores = marked.drop_duplicates("store_id").set_index("store_id")["store_format"].sort_index()
    spans = {WEEKEND: _DAYS, WORKING: _hours(working, opening)}
    rows = []
    for contrast in CONTRASTS:
        inside = marked[contrast]
        counts = _counts(marked[inside.notna()], inside.dropna().astype(bool), stores.index)
        for name, at in _formats(stores):
            rng = np.random.default_rng(seed)
            weights = np.vstack([np.ones(len(at)), rng.multinomial(len(at), np.full(len(at), 1 / len(at)), size=draws)])
            own = {key: numbers[at] for key, numbers in counts.items()}
            rows += list(_ratios(weights, own, spans[contrast], contrast, name))
    return pd.DataFrame(rows, columns=list(RHYTHM)).astype(RHYTHM)


def sentences(ratios: pd.DataFrame) -> list[str]:
    """Of all stores, each contrast in words: all baskets, and the kinds whose ratio differs from theirs for certain."""
    told = []
    for contrast, (time, other) in _TOLD.items():
        own = ratios[(ratios["contrast"] == contrast) & (ratios["format"] == EVERY)].set_index("value")
        every = own.loc[EVERY]
        if np.isnan(every["ratio"]):
            told.append(f"Nothing can be said of {contrast}: all baskets are on one side.")
            continue
        interval = f"{every['ratio_low']:.2f} to {every['ratio_high']:.2f}"
        more, less = own[own["relative_low"] > 1], own[own["relative_high"] < 1]
        kinds = [
            f"{word} of {', '.join(f'{name} ({value:.2f})' for name, value in rows['ratio'].items())}"
            for word, rows in (("more", more), ("fewer", less))
            if len(rows)
        ]
        lead = f"{time} {every['ratio']:.2f} ({interval}) baskets are bought for one {other}"
        told.append(f"{lead}; {'; '.join(kinds) or 'no kind of basket differs from that'}.")
    return told


def in_short(ratios: pd.DataFrame) -> pd.DataFrame:
    """The ratios of all stores with their intervals, a row per kind of basket: for people to read."""
    own = ratios[ratios["format"] == EVERY]
    numbers = ["ratio", "ratio_low", "ratio_high"]
    parts = [
        own[own["contrast"] == contrast].set_index(["kind", "value"])[numbers].add_prefix(f"{contrast.split()[0]}_")
        for contrast in CONTRASTS
    ]
    counts = own[own["contrast"] == WEEKEND].set_index(["kind", "value"])[["basket_count"]]
    return pd.concat([counts, *parts], axis=1).reset_index()


def _check_hours(working: Sequence[int], opening: Sequence[int]) -> None:
    for name, hours in (("working", working), ("opening", opening)):
        if len(hours) != 2 or not 0 <= hours[0] < hours[1] <= 24:
            raise ValueError(f"stage.{name} must be [from, before] with hours of 0 to 24; got {list(hours)}.")
    if not (opening[0] <= working[0] and working[1] <= opening[1]) or tuple(working) == tuple(opening):
        raise ValueError(
            f"stage.working must be in stage.opening and leave other hours; got {list(working)} in {list(opening)}."
        )


def _hours(working: Sequence[int], opening: Sequence[int]) -> dict[bool, int]:
    inside = working[1] - working[0]
    return {True: inside, False: opening[1] - opening[0] - inside}


def _marked(baskets: pd.DataFrame, working: Sequence[int], opening: Sequence[int]) -> pd.DataFrame:
    """Baskets with the side of each contrast they are on; null = on none."""
    weekend = baskets["shopped_at"].dt.day_of_week >= _SATURDAY
    hour = baskets["shopped_at"].dt.hour
    told = hour.between(*opening, inclusive="left") & ~weekend
    at_work = hour.between(*working, inclusive="left").astype("boolean").where(told)
    known = baskets["store_format"].fillna(UNKNOWN_FORMAT)
    return baskets.assign(store_format=known, **{WEEKEND: weekend.astype("boolean"), WORKING: at_work})


def _formats(stores: "pd.Series[str]") -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    yield EVERY, np.arange(len(stores))
    known = sorted(set(stores) - {UNKNOWN_FORMAT})
    for name in known:
        yield name, np.flatnonzero(stores == name)


def _counts(baskets: pd.DataFrame, inside: "pd.Series[bool]", stores: pd.Index) -> dict[tuple[str, str], Values]:
    """By kind and value: baskets and cents (stores, 4), inside, outside, cents inside, cents outside."""
    columns = {
        "in": inside.astype("float64"),
        "out": (~inside).astype("float64"),
        "cents_in": baskets["cents"].where(inside, 0.0),
        "cents_out": baskets["cents"].where(~inside, 0.0),
    }
    numbers = pd.DataFrame(columns)
    found = {(EVERY, EVERY): _by_store(numbers, baskets["store_id"], stores)}
    for kind, values in KINDS.items():
        for value in values:
            own = (baskets[kind] == value).fillna(False).astype(bool)
            found[kind, value] = _by_store(numbers[own], baskets.loc[own, "store_id"], stores)
    return found


def _by_store(numbers: pd.DataFrame, store: "pd.Series[str]", stores: pd.Index) -> Values:
    summed = numbers.groupby(store).sum().reindex(stores, fill_value=0.0)
    return summed.to_numpy(dtype=np.float64)


def _ratios(
    weights: Values, counts: dict[tuple[str, str], Values], spans: dict[bool, int], contrast: str, name: str
) -> Iterator[tuple[object, ...]]:
    """One row per kind; the first of the ``weights`` is the data themselves, the others are bootstrap samples."""
    drawn = {key: weights @ own for key, own in counts.items()}
    every = _rate(drawn[EVERY, EVERY], spans)
    for (kind, value), own in drawn.items():
        ratio = _rate(own, spans)
        numbers = (ratio, _over(ratio, every), _over(_over(own[:, 2], own[:, 0]), _over(own[:, 3], own[:, 1])))
        told = [number for each in numbers for number in _interval(each)]
        sold = int((counts[kind, value][:, :2].sum(axis=1) > 0).sum())
        yield contrast, name, kind, value, sold, int(own[0, :2].sum()), *told


def _rate(counts: Values, spans: dict[bool, int]) -> Values:
    return _over(counts[:, 0] * spans[False], counts[:, 1] * spans[True])


def _over(above: Values, below: Values) -> Values:
    """The quotients; undefined where one of both is 0 or undefined."""
    found = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=(above > 0) & (below > 0))
    return found


def _interval(values: Values) -> tuple[float, float, float]:
    """The value, and the ends of its interval; undefined ones where most samples are undefined."""
    drawn = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or 2 * drawn.size <= values.size:
        return float(values[0]), float("nan"), float("nan")
    low, high = np.percentile(drawn, [_TAIL, 100 - _TAIL])
    return float(values[0]), float(low), float(high)
