"""Names from contrasts: the words of the features that set a segment apart most, one a topic, unique in a lifestage."""

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
import pandas as pd

from aisle.naming.words import Words, words_of
from aisle.partition import NOISE
from aisle.profiles import SEGMENT

OUTSIDE: Final = "in no segment"
ALONE: Final = "the only segment"
NO_CONTRAST: Final = "like the average"
HONEST: Final = "honest differences"
STRONGEST: Final = "strongest contrasts"
EARLIER: Final = "earlier segmentation"
_LEAST: Final = 0.25
"""Standard deviations from the lifestage's mean (or from each other) below which a feature gives no word."""
_MOST_WORDS: Final = 2


def segment_names(
    profile: pd.DataFrame,
    size: pd.DataFrame,
    differing: Mapping[str, Collection[str]] | None = None,
    more_words: Mapping[str, Words] | None = None,
) -> pd.DataFrame:
    """The name of every segment of ``size``: lifestage, segment, segment_name, named_from; in its order.

    A name joins the words (`aisle.naming.words`) of the at most two features, of different topics, whose standardised
    mean in ``profile`` (see `aisle.profiles.profiles`) is farthest from 0, and at least a quarter of a standard
    deviation. Segments of one lifestage with the same words get those of a further topic, on which they differ most
    from each other; at last they are numbered. Of a lifestage that ``differing`` maps to features only these give words
    (named_from: honest differences), of the others all do (strongest contrasts). Segment -1 and a lifestage's only
    segment have names of their own.
    """
    rows = []
    for lifestage, own in size.groupby("lifestage", sort=False):
        name = str(lifestage)
        inside = own[own["segment"] != NOISE]
        honest = None if differing is None else differing.get(name)
        wide = profile[profile["lifestage"] == lifestage].pivot(
            index="segment", columns="feature", values="standardised_mean"
        )
        in_order = profile.loc[profile["lifestage"] == lifestage, "feature"].unique()
        usable = [feature for feature in in_order if honest is None or feature in honest]
        found = _named(wide[usable].fillna(0.0), inside.set_index("segment")["customer_share"], more_words)
        source = STRONGEST if honest is None else HONEST
        for segment in own["segment"].astype(int):
            called = OUTSIDE if segment == NOISE else found[segment]
            rows.append((name, segment, called, "" if called in (OUTSIDE, ALONE) else source))
    return pd.DataFrame(rows, columns=[*SEGMENT, "segment_name", "named_from"]).astype({"segment": "int64"})


def followed_names(named: pd.DataFrame, earlier: Mapping[tuple[str, int], str]) -> pd.DataFrame:
    """`segment_names` where segments that were there ``earlier`` keep their name, and no other has the same one."""
    table = named.copy()
    keys = list(zip(named["lifestage"], named["segment"], strict=True))
    kept = {key: earlier[key] for key in keys if earlier.get(key) and key[1] != NOISE}
    taken: dict[str, set[str]] = {}
    for (lifestage, _), name in kept.items():
        taken.setdefault(lifestage, set()).add(name)
    names, sources = [], []
    for key, name, source in zip(keys, named["segment_name"], named["named_from"], strict=True):
        if key in kept:
            names.append(kept[key])
            sources.append(EARLIER)
            continue
        names.append(_free(name, taken.setdefault(key[0], set())))
        sources.append(source)
    return table.assign(segment_name=names, named_from=sources)


def _named(wide: pd.DataFrame, shares: "pd.Series[float]", more: Mapping[str, Words] | None) -> dict[int, str]:
    """Names by segment; ``wide`` are standardised means, segments x features."""
    if len(wide) == 1:
        return {int(wide.index[0]): ALONE}
    words = {str(feature): words_of(str(feature), more) for feature in wide.columns}
    said, topics = {}, {}
    for segment, row in wide.iterrows():
        chosen = _strongest(row, words)
        said[int(str(segment))] = [words[name].high if row[name] > 0 else words[name].low for name in chosen]
        topics[int(str(segment))] = {words[name].topic for name in chosen}
    names = _told_apart(sorted(said), said, topics, wide, shares, words)
    used: set[str] = set()
    return {segment: _free(names[segment], used) for segment in sorted(names)}


def _strongest(row: "pd.Series[float]", words: Mapping[str, Words]) -> list[str]:
    """Features that give a segment its words, strongest first, one a topic."""
    chosen: list[str] = []
    for name in row.abs().sort_values(ascending=False, kind="stable").index:
        if len(chosen) == _MOST_WORDS or abs(row[name]) < _LEAST:
            break
        if words[name].topic not in {words[other].topic for other in chosen}:
            chosen.append(str(name))
    return chosen


def _told_apart(
    segments: list[int],
    said: Mapping[int, list[str]],
    topics: Mapping[int, set[str]],
    wide: pd.DataFrame,
    shares: "pd.Series[float]",
    words: Mapping[str, Words],
) -> dict[int, str]:
    """Joined words; of segments that are told the same, with further words, or numbers where no feature helps."""
    groups: dict[str, list[int]] = {}
    for segment in segments:
        groups.setdefault(", ".join(said[segment]) or NO_CONTRAST, []).append(segment)
    names: dict[int, str] = {}
    for name, group in groups.items():
        if len(group) == 1:
            names[group[0]] = name
            continue
        used = set().union(*(topics[segment] for segment in group))
        free = [feature for feature in wide.columns if words[str(feature)].topic not in used]
        part = wide.loc[group, free]
        spread = np.ptp(part.to_numpy(dtype=np.float64), axis=0)
        if not free or spread.max() < _LEAST:
            names |= {segment: f"{name} ({number})" for number, segment in enumerate(group, start=1)}
            continue
        feature = str(free[int(spread.argmax())])
        values = part[feature].to_numpy(dtype=np.float64)
        middle = np.average(values, weights=shares.loc[group].to_numpy(dtype=np.float64))
        extended = {
            segment: [*said[segment], words[feature].high if value > middle else words[feature].low]
            for segment, value in zip(group, values, strict=True)
        }
        more_topics = {segment: topics[segment] | {words[feature].topic} for segment in group}
        names |= _told_apart(group, extended, more_topics, wide, shares, words)
    return names


def _free(name: str, taken: set[str]) -> str:
    """The name, numbered where it is taken already; it is taken then."""
    numbered = (name if number == 1 else f"{name} ({number})" for number in range(1, len(taken) + 2))
    found = next(candidate for candidate in numbered if candidate not in taken)
    taken.add(found)
    return found
