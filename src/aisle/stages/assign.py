"""The study's segments -> a rule, and by it the segment of every customer of the database, sampled or not."""

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow

from aisle.database import (
    CustomerFeatures,
    Engine,
    Extraction,
    in_one_state,
    lifestages_of_everybody,
    population_features,
    settled_blocks,
)
from aisle.features import FeatureBlock, FeatureTable
from aisle.features.block import Settling, rows_of
from aisle.features.exact import relation
from aisle.profiles import LABELS
from aisle.rules import ASSIGNED, SegmentRules, agreement, assigned, assigned_sizes, labels_digest, segment_rules
from aisle.selection import Selection, Verdict, selection_from_json
from aisle.storage import read_arrow, read_features, read_json, write_csv, write_json, write_rules, write_table
from aisle.tables import CANONICAL, EXTRACTED

log = logging.getLogger(__name__)

_TABLES = ("customers", "stores", "products", "baskets", "lines")


def run(
    *,
    database: Engine,
    extraction: Extraction,
    blocks: Mapping[str, FeatureBlock],
    name: str,
    extract: Engine,
    verdicts: Path,
    labels: Path,
    features: Path,
    reference_date: str | None,
    output: Path,
) -> None:
    """Write the rules, how well they give back the study's segments, and every customer's segment into ``output``.

    The rules are made from the ``labels`` of stage=segments and the study's ``features`` (a folder of tables). Features
    of everybody are computed by the ``database``, with the ``blocks`` called ``name``; of the extraction only the
    filters count. ``extract`` is the study's, to which blocks are fixed whose columns depend on who is there.
    ``reference_date`` (ISO 8601) is the day recency is counted from, None the one after the last kept basket.
    """
    selection = selection_from_json(read_json(Path(verdicts)), str(verdicts))
    if selection.block != name:
        raise ValueError(
            f"The segments were made from the features {selection.block}; everybody needs the same: say "
            f"features={selection.block}, got features={name}."
        )
    if rows_of(blocks) != "customers":
        raise ValueError(f"Only customers can be assigned; the rows of features={name} are {rows_of(blocks)}.")
    day = _day(reference_date)
    table = read_features(Path(features) / f"{name}.parquet")
    known = _labels(Path(labels), selection)
    rules = _rules(known, table, Path(labels))
    blocks = _settled(blocks, extract)
    needed = {each: CANONICAL[each] for each in _TABLES}
    everybody, found = in_one_state(
        database,
        needed,
        lambda connection: (
            lifestages_of_everybody(connection),
            population_features(connection, extraction, blocks, day, rules.columns),
        ),
    )
    _check_all_there(found, rules, name)
    everybody = pd.concat([everybody, found.lifestages]).groupby(level=0).last()  # baskets may name unknown customers
    rows = assigned(rules, everybody, found.features, found.reasons, without=_without(selection.verdicts), labels=known)
    told = _told(selection, rules, known) | {"customers": _counts(rows), "study_customers": _seen(rows, table, found)}
    folder = Path(output)
    write_rules(rules, folder / "rules.skops")
    write_table(pyarrow.Table.from_pandas(rows, preserve_index=False), ASSIGNED, folder / "assignments.parquet")
    write_csv(rows, folder / "assignments.csv")
    write_csv(assigned_sizes(rows), folder / "sizes.csv")
    write_json(told, folder / "agreement.json")
    _say(told)


def _day(given: str | None) -> date | None:
    try:
        return None if given is None else date.fromisoformat(str(given))
    except ValueError:
        raise ValueError(f"stage.reference_date must be a day like 2026-01-31; got {given!r}.") from None


def _labels(path: Path, selection: Selection) -> pd.DataFrame:
    found: pd.DataFrame = read_arrow(path).to_pandas()
    missing = [column for column in (*LABELS, "segment_name") if column not in found]
    if missing:
        raise ValueError(f"{path} must hold the labels that stage=segments writes; it lacks {missing}.")
    there, chosen = set(found["lifestage"]), set(selection.chosen)
    if there != chosen:
        raise ValueError(
            f"{path} must have the segments of {sorted(chosen)}, for which a candidate is chosen; it has those of "
            f"{sorted(there)}: run stage=segments again."
        )
    return found.assign(segment_name=found["segment_name"].fillna(""))


def _rules(labels: pd.DataFrame, table: FeatureTable, path: Path) -> SegmentRules:
    try:
        return segment_rules(labels, table)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _settled(blocks: Mapping[str, FeatureBlock], extract: Engine) -> Mapping[str, FeatureBlock]:
    if not any(isinstance(block, Settling) for block in blocks.values()):
        return blocks
    with extract.connect(EXTRACTED) as connection:
        return settled_blocks(connection, {each: relation(EXTRACTED[each]) for each in connection.names}, blocks)


def _check_all_there(found: CustomerFeatures, rules: SegmentRules, name: str) -> None:
    missing = [column for column in rules.columns if column not in found.features.values]
    if missing:
        raise ValueError(
            f"The database must give customers the features {name} that the segments were made from; nobody there has "
            f"{', '.join(missing)}: assign the customers of the database that was studied."
        )


def _without(verdicts: tuple[Verdict, ...]) -> dict[str, str]:
    """Lifestages of the study for which nothing is chosen -> why, in a few words."""
    return {
        verdict.lifestage: verdict.evidence_class or "no partition can be chosen"
        for verdict in verdicts
        if verdict.chosen is None
    }


def _told(selection: Selection, rules: SegmentRules, labels: pd.DataFrame) -> dict[str, Any]:
    chosen = {
        lifestage: {
            "candidate_key": choice.candidate_key,
            "evidence_class": choice.evidence_class,
            **agreement(rules.rules[lifestage]),
        }
        for lifestage, choice in selection.chosen.items()
    }
    return {
        "study": selection.study.get("study"),
        "features": selection.features,
        "data_digest": selection.study.get("data_digest"),
        "labels_digest": labels_digest(labels),
        "lifestages": chosen,
        "without": {v.lifestage: v.reasons[0] for v in selection.verdicts if v.chosen is None and v.reasons},
    }


def _counts(rows: pd.DataFrame) -> dict[str, Any]:
    """Customers of the database, those in a segment, and the others by reason."""
    inside = rows["reason"] == ""
    return {
        "in_database": int(rows["customer_id"].nunique()),
        "in_segment": int(rows.loc[inside, "customer_id"].nunique()),
        "reasons": {str(why): int(count) for why, count in rows.loc[~inside, "reason"].value_counts().items()},
    }


def _seen(rows: pd.DataFrame, table: FeatureTable, found: CustomerFeatures) -> dict[str, int]:
    """Customers of the study in the database, with the same features there, and the labels that the rule repeats."""
    both = table.values.index.intersection(found.features.values.index)
    columns = list(table.values.columns)
    here = found.features.values.loc[both, columns].to_numpy()
    seen = rows[rows["study_segment"].notna()]
    return {
        "in_study": len(table.values),
        "in_database": len(both),
        "same_features": int((here == table.values.loc[both].to_numpy()).all(axis=1).sum()),
        "labels": len(seen),
        "same_segment": int((seen["segment"] == seen["study_segment"]).sum()),
    }


def _say(told: Mapping[str, Any]) -> None:
    for lifestage, own in told["lifestages"].items():
        log.info(
            "%s: by the nearest %s; %.1f%% of the study's customers are given back their segment when left out",
            *(lifestage, own["rule"], 100 * own["agreement"]),
        )
    seen, counts = told["study_customers"], told["customers"]
    if seen["same_features"] < seen["in_study"]:
        log.warning(
            "of the study's %d customers %d are in the database with features and %d have the same as in the study: it "
            "has changed since, or is another one",
            *(seen["in_study"], seen["in_database"], seen["same_features"]),
        )
    log.info("%d of %d customers are in a segment", counts["in_segment"], counts["in_database"])
    for why, count in counts["reasons"].items():
        log.info("in none, %s: %d", why, count)
