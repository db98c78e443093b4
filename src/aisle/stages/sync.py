"""What studies found -> MLflow. Idempotent: a second time writes nothing."""

import logging
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from aisle.evidence import Thresholds
from aisle.features import FeatureTable
from aisle.git import commit
from aisle.leaderboard import NAMES
from aisle.selection import Choice, Selection, Verdict, selection_from_json
from aisle.storage import CandidateRecord, CandidateStore, read_arrow, read_features, read_json, read_rules
from aisle.tracking import RunContent, Tracker
from aisle.tracking.chosen import as_chosen, same_customers
from aisle.tracking.content import candidate_content, failed_content, summary_content
from aisle.tracking.evidence import with_evidence
from aisle.tracking.notes import summary_note, told_apart_by
from aisle.tracking.rules import rules_content
from aisle.tracking.use import with_use

log = logging.getLogger(__name__)

EVERY_STUDY = "all"
_CANDIDATES = "candidates.json"


def run(*, study: str, store: Path, artifacts: Path, features: Path, thresholds: Thresholds, tracker: Tracker) -> None:
    """Bring one study's runs, or those of every study for ``"all"``, to what its files in ``artifacts`` say.

    Of all studies, one that cannot be shown is named and left as it is in MLflow.

    Raises:
        FileNotFoundError: the study has no files yet, or its candidates are not in the store.
        ValueError: the features have changed since the study.
    """
    artifacts = Path(artifacts)
    if study != EVERY_STUDY:
        _sync(artifacts / study, CandidateStore(Path(store)), Path(features), thresholds, tracker)
        return
    folders = sorted(path.parent for path in artifacts.glob(f"*/{_CANDIDATES}"))
    if not folders:
        log.info("mlflow: there is no study in %s yet", artifacts)
    for folder in folders:
        try:
            _sync(folder, CandidateStore(Path(store)), Path(features), thresholds, tracker)
        except (FileNotFoundError, ValueError) as error:
            log.warning("mlflow %s: left as it is: %s", folder.name, error)


def _sync(folder: Path, store: CandidateStore, features: Path, thresholds: Thresholds, tracker: Tracker) -> None:
    told = read_json(folder / _CANDIDATES)
    board = read_arrow(folder / "leaderboard.parquet").to_pandas()
    selection = _selection(folder, board)
    note = summary_note(
        question=told["question"],
        verdict=_verdict(selection),
        candidates=told["candidates"],
        board=board,
        data_digest=told["data_digest"],
    )
    tracker.write(told["study"], _contents(told, board, selection, folder, store, features, thresholds), note)


def _contents(
    told: Mapping[str, Any],
    board: pd.DataFrame,
    selection: Selection | None,
    folder: Path,
    store: CandidateStore,
    features: Path,
    thresholds: Thresholds,
) -> Iterator[RunContent]:
    """What every run of the study says, the summary last, so that it is on top of MLflow's list of the newest."""
    data_digest = told["data_digest"]
    measures, segments = (_evidence(folder, name) for name in ("measures", "segments"))
    uses = _uses(folder)
    provenance = _provenance()
    roles = told_apart_by(told["candidates"])

    @cache
    def cohort(block: str, lifestage: str) -> tuple[FeatureTable, str]:
        table = read_features(features / f"{block}.parquet").select(lifestage)
        return table, table.digest()

    def computed_from(names: Mapping[str, str], digest: str) -> FeatureTable:
        table, found = cohort(names["features"].split()[0], names["lifestage"])
        if found != digest:
            raise ValueError(f"The features {names['features']} have changed since the study; run the study again.")
        return table

    for candidate in told["candidates"]:
        names, key = candidate["names"], candidate["key"]
        common = {
            "study": told["study"],
            "roles": roles,
            "names": names,
            "key": key,
            "data_digest": data_digest,
            "provenance": provenance,
        }
        if candidate["status"] == "failed":
            yield failed_content(**common, reason=candidate["reason"])
        elif candidate["status"] == "finished":
            record = store.read(key)
            mine = (board[list(NAMES)] == pd.Series(names)[list(NAMES)]).all(axis=1) & (board["candidate_key"] == key)
            content = candidate_content(
                **common,
                path=record.path,
                scores=record.scores,
                facts=record.facts,
                board=board[mine],
                features=computed_from(names, record.facts["features"]["digest"]),
            )
            measured, parts = (rows[rows["candidate_key"] == key] for rows in (measures, segments))
            content = with_evidence(content, measured, parts, record.path, thresholds)
            content = with_use(content, uses[uses["candidate_key"] == key], record.path)
            choice = selection.chosen.get(names["lifestage"]) if selection else None
            yield (
                _as_chosen(content, choice, record, _results(folder))
                if choice and choice.candidate_key == key
                else content
            )
    rules = _rules(folder, board, provenance)
    if rules is not None:
        yield rules
    yield summary_content(
        study=told["study"],
        question=told["question"],
        verdict=_verdict(selection),
        candidates=told["candidates"],
        board=board,
        data_digest=data_digest,
        files=_of_study(folder, selection),
        provenance=provenance,
    )


def _evidence(folder: Path, table: str) -> pd.DataFrame:
    """What the evidence measured, of whichever study; without any row where it was not computed."""
    path = _beside(folder, "evidence") / f"{table}.parquet"
    found: pd.DataFrame = read_arrow(path).to_pandas() if path.exists() else pd.DataFrame({"candidate_key": []})
    return found


def _uses(folder: Path) -> pd.DataFrame:
    """The leaderboard of usefulness of stage=promotions; without any row where there is none."""
    path = folder.parent / "promotions" / "leaderboard.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame({"candidate_key": []})


def _rules(folder: Path, board: pd.DataFrame, provenance: Mapping[str, str]) -> RunContent | None:
    """What is known of the rule that gives every customer a segment; None where it is of other results, or of none.

    In a fresh clone what is told of it is there, but not yet the rule.
    """
    place = _beside(folder, "assign")
    file = place / "rules.skops"
    if not file.exists():
        return None
    told = read_json(place / "agreement.json")
    keys = {own["candidate_key"] for own in told.get("lifestages", {}).values()}
    if told.get("study") != folder.name or not keys <= set(board["candidate_key"]):
        return None
    files = {"agreement.json": place / "agreement.json", "sizes.csv": place / "sizes.csv", "rules.skops": file}
    rules, known_by = read_rules(file), sha256(file.read_bytes()).hexdigest()
    shown = {f"rule/{name}": path for name, path in files.items()}
    return rules_content(told=told, rules=rules, digest=known_by, files=shown, provenance=provenance)


def _as_chosen(content: RunContent, choice: Choice, record: CandidateRecord, results: Path) -> RunContent:
    """The run with names and pictures of its segments, where stage=segments made them of this very partition."""
    path, code = results / "segments" / "labels.parquet", content.params["lifestage"]
    partition = next(own for value, own in record.path.partitions.items() if float(value) == choice.tuning_value)
    labels: pd.DataFrame = read_arrow(path).to_pandas() if path.exists() else pd.DataFrame({"lifestage": []})
    own = labels[labels["lifestage"] == code]
    if own.empty or not same_customers(partition, own.set_index("customer_id")["segment"]):
        return as_chosen(content, choice.tuning_value, pd.DataFrame(), {})
    sizes = own.groupby(["segment", "segment_name"], sort=True).size().rename("customer_count").reset_index()
    pictures = {
        path.name.removeprefix(f"{code}_"): path
        for path in sorted((results / "segments" / "figures").glob("*"))
        if path.name.startswith(f"{code}_")
    }
    return as_chosen(content, choice.tuning_value, sizes, pictures)


def _of_study(folder: Path, selection: Selection | None) -> dict[str, Path]:
    """Artifacts of the summary run: the study's figures, and of a study that was selected in those of all stages."""
    folders = [folder]
    if selection:
        stages = ("select", "select/figures", "segments", "compare", "differences")
        folders += [_results(folder) / name for name in stages]
    figures = [path for own in folders for kind in ("png", "svg") for path in sorted(own.glob(f"*.{kind}"))]
    files = {f"figures/{path.name}": path for path in figures} | {"leaderboard.csv": folder / "leaderboard.csv"}
    report = _results(folder) / "report" / "index.html"
    return files | ({"report.html": report} if selection and report.exists() else {})


def _selection(folder: Path, board: pd.DataFrame) -> Selection | None:
    """What was selected in this study; None where the selection is of other results."""
    path = _results(folder) / "select" / "verdicts.json"
    if not path.exists():
        return None
    selection = selection_from_json(read_json(path), str(path))
    keys = {choice.candidate_key for choice in selection.chosen.values()}
    of_this = selection.study.get("study") == folder.name and keys <= set(board["candidate_key"])
    return selection if of_this else None


def _verdict(selection: Selection | None) -> list[str]:
    """What was selected, in sentences."""
    if selection is None:
        return []
    told = [f"**{_of_class(verdict)}**: {' '.join(verdict.reasons[:2])}" for verdict in selection.verdicts]
    return [*told, *(f"**all**: {sentence}" for sentence in selection.overall)]


def _of_class(verdict: Verdict) -> str:
    return f"{verdict.lifestage}, {verdict.evidence_class}" if verdict.evidence_class else verdict.lifestage


def _beside(folder: Path, stage: str) -> Path:
    """Where a stage wrote what follows the study in ``folder``: in there (paths=study), or beside it."""
    own = folder / stage
    return own if own.exists() else folder.parent / stage


def _results(folder: Path) -> Path:
    """Where the stages that follow the selection in a study write."""
    return _beside(folder, "select").parent


def _provenance() -> dict[str, str]:
    """The commit of the working directory and whether it has changes; nothing outside a repository."""
    found = commit()
    if found is None:
        return {}
    return {"mlflow.source.git.commit": found.digest, "mlflow.source.git.dirty": "yes" if found.changed else "no"}
