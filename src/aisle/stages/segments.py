"""The chosen partitions -> the segment of every customer, what the segments are, and what they are called."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.compute

from aisle.figures import contrast_dots, profile_heatmap
from aisle.habits import GROUP, HABITS, habits
from aisle.matching import following, migration
from aisle.naming import Words, followed_names, segment_names
from aisle.profiles import LABELS, SEGMENT, contrasts, labels_of, profiles, sizes
from aisle.selection import Choice, selection_from_json
from aisle.stages.chosen import chosen_candidate
from aisle.stages.pictures import segment_pictures
from aisle.storage import (
    CandidateStore,
    read_arrow,
    read_features,
    read_json,
    whole_folder,
    write_csv,
    write_figure,
    write_frame,
)
from aisle.tables import BASKET_EXTRACT, GROUP_SPEND

log = logging.getLogger(__name__)

_TOLD_FROM = 0.02
"""Share of the lifestage's spend from which a product group is told of in the log."""
_CONTRASTS = 8
"""Features shown per lifestage in the figure of contrasts."""


def run(
    *,
    verdicts: Path,
    labels: Path,
    features: Path,
    differences: Path | None,
    previous: Path | None,
    words: Mapping[str, Sequence[str]],
    extract: Path,
    store: Path,
    output: Path,
) -> None:
    """Write labels, sizes, profiles and their figures into ``output``; ``features`` is the folder of feature tables.

    Where no lifestage is to be segmented, by the evidence, the tables are empty and the figures say so. Names are made
    of the features that ``differences`` (a file of stage=differences) says to differ, in the ``words`` of the
    configuration ([topic, high, low] by feature) or the built-in ones. ``previous``: labels that this stage once wrote
    (Parquet or CSV), whose ids and names are kept by the segments that follow them. ``extract`` is the folder
    of the extract: where it has baskets, the table of habits says what segments buy and when. ``store`` holds the
    chosen candidates, of which each lifestage's pictures in ``figures`` are drawn.
    """
    selection = selection_from_json(read_json(Path(verdicts)), str(verdicts))
    if not selection.chosen and not any(verdict.evidence_class for verdict in selection.verdicts):
        reasons = " ".join(verdict.reasons[0] for verdict in selection.verdicts)
        raise ValueError(
            f"{verdicts} must choose a candidate for a lifestage, to have segments; {reasons or 'it is empty.'}"
        )
    table = read_features(Path(features) / f"{selection.block}.parquet")
    candidates = CandidateStore(Path(store))
    found = labels_of(chosen_partitions(Path(labels), selection.chosen), table)
    chosen = {
        lifestage: chosen_candidate(lifestage, choice, table.select(lifestage), candidates)
        for lifestage, choice in selection.chosen.items()
    }
    earlier = None if previous is None else _earlier(Path(previous))
    if earlier is not None:
        found = following(found, earlier)
    size, profile = sizes(found, table), profiles(found, table)
    named = segment_names(profile, size, _differing(differences), _words(words))
    if earlier is not None:
        named = followed_names(named, _earlier_names(earlier))
    size.insert(len(SEGMENT), "segment_name", named["segment_name"])
    size["named_from"] = named["named_from"]
    found = found.merge(size[[*SEGMENT, "segment_name"]], on=SEGMENT, how="left", validate="many_to_one")
    strongest = contrasts(profile, size).groupby("lifestage", sort=False).head(_CONTRASTS)
    folder = Path(output)
    write_frame(found, folder / "labels.parquet")
    write_csv(found, folder / "labels.csv")
    write_frame(profile, folder / "profiles.parquet")
    write_csv(size, folder / "sizes.csv")
    habit = _habits(found, Path(extract))
    write_frame(habit, folder / "habits.parquet")
    write_csv(habit, folder / "habits.csv")
    for name, figure in (
        ("profiles", profile_heatmap(profile, size)),
        ("contrasts", contrast_dots(profile, strongest, size)),
    ):
        write_figure(figure, folder / f"{name}.png")
        write_figure(figure, folder / f"{name}.svg")
    moved = None if earlier is None else migration(found, earlier)
    with whole_folder(folder / "figures", replace=True) as part:
        for code, choice in selection.chosen.items():
            for name, figure in segment_pictures(
                lifestage=code,
                choice=choice,
                chosen=chosen[code],
                features=table.select(code),
                segments=_of(found, code).set_index("customer_id")["segment"],
                names=_names(_of(size, code)),
                migration=None if moved is None else _of(moved, code),
                store=candidates,
            ):
                write_figure(figure, part / f"{code}_{name}.png")
                write_figure(figure, part / f"{code}_{name}.svg")
    counts = {lifestage: choice.n_clusters for lifestage, choice in selection.chosen.items()}
    for lifestage, rows in strongest.groupby("lifestage", sort=False):
        told = ", ".join(f"{row.feature} ({row.explained_share:.0%})" for row in rows.head(3).itertuples())
        log.info("%s: %d segments; they explain the most variance of %s", lifestage, counts[str(lifestage)], told)
    for lifestage, rows in size.groupby("lifestage", sort=False):
        told = "; ".join(f"{row.segment} {row.segment_name} ({row.customer_share:.0%})" for row in rows.itertuples())
        sources = ", ".join(name for name in rows["named_from"].unique() if name)
        log.info("%s: %s; named by: %s", lifestage, told, sources or "there is one")


def _of(rows: pd.DataFrame, lifestage: str) -> pd.DataFrame:
    own: pd.DataFrame = rows[rows["lifestage"] == lifestage]
    return own


def _names(sizes: pd.DataFrame) -> dict[int, str]:
    return dict(zip(sizes["segment"].tolist(), sizes["segment_name"].astype(str), strict=True))


def _habits(labels: pd.DataFrame, extract: Path) -> pd.DataFrame:
    """See `aisle.habits.habits`; empty where the segmentation is of something else than an extract of baskets."""
    there = extract / f"{BASKET_EXTRACT.name}.parquet"
    if not there.exists():
        log.info("%s is not there: nothing is said of what segments buy and when.", there)
        return pd.DataFrame(columns=list(HABITS)).astype(HABITS)
    baskets = read_arrow(there).select(["customer_id", "shopped_at", "store_format"]).to_pandas()
    groups = extract / f"{GROUP_SPEND.name}.parquet"
    columns = ["customer_id", "product_group", "cents"]
    spend = pd.DataFrame(columns=columns).astype({"cents": "int64"})
    if groups.exists():
        rows = read_arrow(groups)
        cents = pyarrow.compute.multiply(rows["spend"], pyarrow.scalar(100)).cast("int64")
        spend = rows.append_column("cents", cents).select(columns).to_pandas()
    found = habits(labels[LABELS], baskets, spend)
    for lifestage, own in found[found["habit"] == GROUP].groupby("lifestage", sort=False):
        for segment, rows_of in own[own["lifestage_share"] >= _TOLD_FROM].groupby("segment"):
            most, least = (rows_of.nlargest(1, "index").iloc[0], rows_of.nsmallest(1, "index").iloc[0])
            told = (lifestage, segment, most["value"], most["index"], least["value"], least["index"])
            log.info("%s %s buys most of %s (index %.0f) and least of %s (%.0f), 100 being its lifestage", *told)
    return found


def _differing(path: Path | None) -> dict[str, frozenset[str]] | None:
    """Features that differ on other baskets, by each lifestage of which some were tested; None without a file."""
    if path is None or not Path(path).exists():
        if path is not None:
            log.warning("%s is not there: names come from the strongest contrasts; run stage=differences before.", path)
        return None
    rows = read_arrow(Path(path)).to_pandas()
    missing = sorted({"lifestage", "feature", "differs", "untested"} - set(rows.columns))
    if missing:
        raise ValueError(f"{path} must be the differences that stage=differences writes; it lacks {missing}.")
    tested = rows[rows["untested"] == ""]
    return {
        str(lifestage): frozenset(own.loc[own["differs"].astype(bool), "feature"])
        for lifestage, own in tested.groupby("lifestage")
    }


def _words(given: Mapping[str, Sequence[str]]) -> dict[str, Words]:
    odd = [feature for feature, words in given.items() if isinstance(words, str) or len(words) != len(Words._fields)]
    if odd:
        raise ValueError(f"stage.words must give a feature [topic, high, low]; {odd[0]} has {given[odd[0]]!r}.")
    return {feature: Words(*map(str, words)) for feature, words in given.items()}


def _earlier(path: Path) -> pd.DataFrame:
    if path.suffix != ".csv":
        labels: pd.DataFrame = read_arrow(path).to_pandas()
        return labels
    if not path.exists():
        raise FileNotFoundError(f"{path} is needed and missing: stage.previous names the labels of an earlier run.")
    texts: dict[str, type] = {"customer_id": str, "lifestage": str, "segment_name": str}
    return pd.read_csv(path, dtype=texts, keep_default_na=False)


def _earlier_names(earlier: pd.DataFrame) -> dict[tuple[str, int], str]:
    if "segment_name" not in earlier:
        return {}
    told = earlier.drop_duplicates(SEGMENT)
    keys = zip(told["lifestage"], told["segment"].astype(int), strict=True)
    return {key: str(name) for key, name in zip(keys, told["segment_name"], strict=True) if name}


def chosen_partitions(path: Path, chosen: Mapping[str, Choice]) -> "dict[str, pd.Series[int]]":
    """Labels by customer of every lifestage's chosen partition, from a study's labels in the file ``path``."""
    rows = read_arrow(path)
    missing = sorted({"candidate_key", "tuning_value", "customer_id", "label"} - set(rows.column_names))
    if missing:
        raise ValueError(f"{path} must hold a study's labels; it lacks {missing}.")
    return {lifestage: _labels(rows, choice, lifestage, path) for lifestage, choice in chosen.items()}


def _labels(rows: pyarrow.Table, choice: Choice, lifestage: str, path: Path) -> "pd.Series[int]":
    same_key = pyarrow.compute.equal(rows["candidate_key"], choice.candidate_key)
    same_value = pyarrow.compute.equal(rows["tuning_value"], choice.tuning_value)
    found = rows.filter(pyarrow.compute.and_(same_key, same_value)).to_pandas()
    if found.empty:
        raise ValueError(
            f"{path} lacks the candidate chosen for {lifestage}, {choice.candidate_key} at {choice.parameter} = "
            f"{choice.tuning_value:g}; run the study and stage=select again."
        )
    found_labels: pd.Series[int] = found.set_index("customer_id")["label"]
    return found_labels
