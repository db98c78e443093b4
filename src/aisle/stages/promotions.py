"""The chosen segments, purchases and campaigns -> what segments respond to, whether they are useful, what to do."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from aisle.database import (
    Connection,
    Engine,
    Extraction,
    History,
    earlier_features,
    in_one_state,
    read_campaigns,
    read_trade,
)
from aisle.evidence import Pipelines
from aisle.features import EVERYBODY, FeatureBlock
from aisle.figures import gains_of_predictors
from aisle.habits import HABITS
from aisle.leaderboard import NAMES, RANKED_BY
from aisle.profiles import LABELS
from aisle.promotions import (
    Found,
    Mailings,
    Purchases,
    Recipe,
    Settings,
    Snapshot,
    Studied,
    period_starts,
    segments_over,
    studied,
    study,
    tool_rows,
    use,
    use_columns,
)
from aisle.selection import Choice, Selection, selection_from_json
from aisle.storage import CandidateStore, read_json, rebuilt, write_csv, write_figure, write_json
from aisle.tables import CANONICAL

log = logging.getLogger(__name__)

_READ = [name for name in CANONICAL if name != "dirt"]
_SIZES = ("lifestage", "segment", "segment_name", "customer_count")
_CHOICE = ("features", "scaler", "reducer", "clusterer", "candidate_key", "parameter", "tuning_value", "n_clusters")


def run(
    *,
    database: Engine,
    extraction: Extraction,
    verdicts: Path,
    segments: Path,
    features: str,
    blocks: Mapping[str, FeatureBlock],
    rfm: Mapping[str, FeatureBlock],
    settings: Settings,
    without_reducers: Sequence[str],
    question: str,
    store: Path,
    output: Path,
) -> None:
    """Write the study's tables, ``leaderboard`` and ``customers`` (CSV), a figure and ``summary.json`` into ``output``.

    ``blocks`` are those of the option ``features``, which the verdicts must be on; ``segments`` is the folder that
    stage=segments wrote. The leaderboard has the best candidate of every method and lifestage with columns ``use/...``;
    those of ``without_reducers`` cost too much to be fitted for every day. ``customers`` is for a campaign tool.

    Raises:
        ValueError: the verdicts are on other features or choose nothing, a file holds something else than its stage
            writes, or the database has other customers than the segments.
    """
    selection = selection_from_json(read_json(Path(verdicts)), str(verdicts))
    if selection.block != features:
        raise ValueError(f"{verdicts} chooses by the features {selection.block}; add features={selection.block}.")
    labels, sizes, habits = (_table(Path(segments) / f"{name}.csv", columns) for name, columns in _PUBLISHED.items())
    chosen = {name: choice for name, choice in selection.chosen.items() if name in set(labels["lifestage"])}
    if not chosen:
        raise ValueError(f"{verdicts} must choose a candidate for a lifestage of {segments}, to have segments.")
    candidates = CandidateStore(Path(store))
    recipes = {lifestage: _recipe(choice, candidates) for lifestage, choice in chosen.items()}
    tables = {name: CANONICAL[name] for name in _READ}
    material = in_one_state(
        database, tables, lambda connection: _read(connection, extraction, [*chosen], blocks, rfm, settings)
    )
    unknown = int((~labels["customer_id"].isin(material.purchases.customers)).sum())
    if unknown:
        raise ValueError(
            f"{segments} has labels of {unknown} customers whom the database lacks; run the stages from extract to "
            "segments on this database again."
        )
    found = study(
        material.purchases,
        material.chosen,
        material.snapshots,
        recipes,
        material.starts,
        published=labels,
        sizes=sizes,
        habits=habits,
        settings=settings,
    )
    board = _leaderboard(selection, [*chosen], found, material, candidates, without_reducers, settings)
    customers = tool_rows(
        labels, found.tables["plan"], held_out_share=settings.trial.held_out_share, seed=settings.seed
    )
    folder = Path(output)
    for name, rows in {**found.tables, "leaderboard": board, "customers": customers}.items():
        write_csv(rows, folder / f"{name}.csv")
    figure = gains_of_predictors(found.tables["usefulness"])
    for kind in ("png", "svg"):
        write_figure(figure, folder / f"gains.{kind}")
    write_json({"question": question, **_summary(selection, found, material)}, folder / "summary.json")
    for sentence in [*found.notes, *(one.sentence for one in found.answers)]:
        log.info(sentence)


_PUBLISHED = {"labels": tuple(LABELS), "sizes": _SIZES, "habits": tuple(HABITS)}


@dataclass(frozen=True, eq=False)
class _Material:
    """What is read from the database: who bought what, the campaigns, and the features known on every day."""

    purchases: Purchases
    chosen: Studied | None
    starts: list[date]
    snapshots: Mapping[date, Snapshot]


def _read(
    connection: Connection,
    extraction: Extraction,
    lifestages: Sequence[str],
    blocks: Mapping[str, FeatureBlock],
    rfm: Mapping[str, FeatureBlock],
    settings: Settings,
) -> _Material:
    judged = extraction.judged(connection.stored)
    if EVERYBODY not in lifestages:
        judged = judged.filter(judged.lifestage.isin(lifestages))
    trade = read_trade(connection, extraction, judged)
    purchases = Purchases.of(trade["baskets"], trade["lines"], trade["products"], trade.get("discounts"))
    campaigns = read_campaigns(connection)
    chosen = None
    if campaigns is not None:
        chosen = studied(Mailings(*campaigns.values()), purchases, weeks_before=settings.weeks_before)
    starts = period_starts(purchases, weeks_before=settings.weeks_before, next_weeks=settings.next_weeks)
    days = {*starts, *(chosen.mailings.campaigns["start_date"] if chosen else ())}
    if not days:
        raise ValueError(
            f"At least {settings.weeks_before} weeks of baskets and {settings.next_weeks} after them are needed; the "
            f"data go from {purchases.first_day} to {purchases.last_day}."
        )
    history = History.of(connection, extraction, judged)
    snapshots = {}
    for day in sorted(days):
        before = earlier_features(connection, history, blocks, day)
        values = earlier_features(connection, history, rfm, day)
        snapshots[day] = Snapshot(before.features, values.features.values, before.lifestages)
    return _Material(purchases, chosen, starts, snapshots)


def _recipe(choice: Choice, store: CandidateStore) -> Recipe:
    """The candidate's method at its tuning value; the other values are not fitted where one parameter lists them."""
    record = store.read(choice.candidate_key)
    scaler, reducer, clusterer = (rebuilt(record.facts[name]) for name in ("scaler", "reducer", "clusterer"))
    path = [float(value) for value in record.path.partitions]
    place = path.index(choice.tuning_value)
    lists = {name: value for name, value in clusterer.get_params(deep=False).items() if isinstance(value, list)}
    same = [name for name, value in lists.items() if [float(one) for one in value] == path]
    if len(same) == 1:
        clusterer, place = clusterer.set_params(**{same[0]: [lists[same[0]][place]]}), 0
    return Recipe(Pipelines(scaler, reducer, {choice.candidate_key: clusterer}, record.facts["seed"]), place)


def _leaderboard(
    selection: Selection,
    published: Sequence[str],
    found: Found,
    material: _Material,
    store: CandidateStore,
    without_reducers: Sequence[str],
    settings: Settings,
) -> pd.DataFrame:
    """A row per lifestage and method with its best candidate, what was chosen first, and the columns ``use/...``.

    The segments of what was chosen are there for the ``published`` lifestages; all others are fitted here.
    """
    names = [question.name for question in found.questions]
    features = {day: snapshot.features for day, snapshot in material.snapshots.items()}
    rows: list[dict[str, Any]] = []
    for verdict in selection.verdicts:
        rivals = [verdict.chosen, *(runner.best for runner in verdict.runners_up)]
        for choice in (one for one in rivals if one is not None):
            own = choice is verdict.chosen and verdict.lifestage in published
            if not own and choice.reducer in without_reducers:
                log.info("%s: %s is not compared by its use: %s is left out", verdict.lifestage, choice, choice.reducer)
                continue
            told = use(
                verdict.lifestage,
                found.segments if own else segments_over(features, {verdict.lifestage: _recipe(choice, store)}),
                features,
                found.questions,
                rates=settings.rates,
                fewest=settings.fewest_outcomes,
                draws=settings.draws,
                confidence=settings.confidence,
                seed=settings.seed,
            )
            facts = {"lifestage": verdict.lifestage, **{name: getattr(choice, name) for name in _CHOICE}}
            ranked = {"chosen": choice is verdict.chosen, RANKED_BY: choice.ranking_score}
            rows.append(facts | ranked | {"evidence_class": choice.evidence_class or ""} | told)
    columns = [*NAMES, *_CHOICE[4:], "chosen", "evidence_class", RANKED_BY, *use_columns(names)]
    return pd.DataFrame(rows, columns=columns)


def _summary(selection: Selection, found: Found, material: _Material) -> dict[str, Any]:
    """The answers and sentences, and what they rest on."""
    purchases = material.purchases
    return {
        "data_digest": selection.study.get("data_digest", ""),
        "study": selection.study.get("study", ""),
        "first_day": purchases.first_day.isoformat(),
        "last_day": purchases.last_day.isoformat(),
        "customer_count": len(purchases.customers),
        "days": [day.isoformat() for day in sorted(material.snapshots)],
        "campaigns": material.chosen is not None,
        "discounts": purchases.discounts_known,
        "answers": [asdict(one) for one in found.answers],
        "notes": list(found.notes),
    }


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    if not path.exists():
        raise FileNotFoundError(f"{path} is needed and missing; run stage=segments, which writes it.")
    texts = dict.fromkeys(("customer_id", "lifestage", "segment_name", "habit", "value"), str)
    try:
        numbers = {name: [""] for name in columns if name not in texts}
        rows: pd.DataFrame = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=numbers)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError):
        raise ValueError(f"{path} must be a CSV file with a header; it is not one.") from None
    missing = [name for name in columns if name not in rows]
    if missing:
        raise ValueError(f"{path} must be what stage=segments writes; it lacks {missing}.")
    return rows
