"""The results of all stages -> the report: one page of HTML that needs no other file, and a presentation."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from aisle.habits import HABITS
from aisle.leaderboard import NAMES, RANKED_BY
from aisle.promotions import TABLES
from aisle.report import Material, Picture, Promotions, StoreResults, StudyResult, page
from aisle.report.slides import PICTURES, messages, presentation
from aisle.selection import Selection, selection_from_json
from aisle.stages.differences import DIFFERENCES, REPLICATION
from aisle.storage import digest, read_arrow, read_json, read_table, whole_file
from aisle.tables import DIRT, FILTERS

log = logging.getLogger(__name__)

_SHARES = ("customer_share", "basket_share", "spend_share")
_SIZES = {"lifestage": "string", "segment": "int64", "customer_count": "int64", **dict.fromkeys(_SHARES, "float64")}
_SEGMENTS = dict.fromkeys(("scale", "lifestage_a", "lifestage_b"), "string")
_SEGMENTS |= dict.fromkeys(("segment_a", "segment_b"), "int64")
_MATCHES = _SEGMENTS | dict.fromkeys(("correlation", "low", "high"), "float64")
_AGREEMENT = dict.fromkeys(("scale", "rule_of", "lifestage"), "string")
_AGREEMENT |= dict.fromkeys(("agreement", "own_agreement"), "float64")
_VARIANCE = {"feature": "string"}
_VARIANCE |= dict.fromkeys(("lifestage_share", "chance_share", "segment_share", "p_value"), "float64")
_PROFILES = {"lifestage", "segment", "feature", "mean", "median", "lifestage_mean", "index", "standardised_mean"}
_BOARD = {*NAMES, RANKED_BY, "eligible", "coverage", "n_clusters"}
_EXTRACT = {"absent", "basket_count", "customer_count", "first_day", "last_day", "lifestages"}
_PAIRS = set(_MATCHES)
_COMPARISON = {"nearest", "notes", "without_segments"}
_STORES = {"store_count", "feature_count", "formats", "sentences", "class", "reasons"}
_PROMOTIONS = {"answers", "data_digest", "notes"}
_PICTURES = (
    *("segments/contrasts", "segments/profiles", "compare/heatmap", "differences/effects", "select/methods"),
    *("stores/formats", "stores/rhythm", "promotions/gains"),
)
_OF_EVIDENCE = ("evidence", "stability", "gaps", "flow")
_OF_SEGMENTS = ("silhouettes", "planes", "tree", "migration")


def run(
    *,
    studies: Sequence[Path],
    extract: Path,
    dirt: Path,
    select: Path,
    differences: Path,
    segments: Path,
    compare: Path,
    stores: Path,
    promotions: Path,
    privacy_floor: int,
    output: Path,
) -> None:
    """Write ``index.html`` and ``segments.pptx`` into ``output``; what was not run is left out with a sentence.

    ``studies`` are the folders of studies, the others those of the stages of that name, ``dirt`` the table that the
    source's cleaning left. Segments with fewer than ``privacy_floor`` customers are not shown.

    Raises:
        ValueError: a file holds something else than its stage writes, or results are of different data or choices.
    """
    if privacy_floor < 1:
        raise ValueError(f"stage.privacy_floor must be a number of customers, at least 1; got {privacy_floor}.")
    folders = [Path(folder) for folder in studies]
    results = {folder.name: _study(folder) for folder in folders if (folder / "candidates.json").exists()}
    selection = _selection(Path(select) / "verdicts.json")
    material = Material(
        privacy_floor=privacy_floor,
        studies=tuple(results.values()),
        missing_studies=tuple(folder.name for folder in folders if folder.name not in results),
        selection=selection,
        sizes=_csv(Path(segments) / "sizes.csv", _SIZES),
        profiles=_frame(Path(segments) / "profiles.parquet", _PROFILES),
        habits=_frame(Path(segments) / "habits.parquet", set(HABITS)),
        comparison=_json(Path(compare) / "summary.json", _COMPARISON),
        pairs=_frame(Path(compare) / "correlations.parquet", _PAIRS),
        matches=_csv(Path(compare) / "matches.csv", _MATCHES),
        agreement=_csv(Path(compare) / "agreement.csv", _AGREEMENT),
        variance=_csv(Path(compare) / "variance.csv", _VARIANCE),
        replication=_frame(Path(differences) / "replication.parquet", set(REPLICATION)),
        differences=_frame(Path(differences) / "differences.parquet", set(DIFFERENCES)),
        stores=_stores(Path(stores)),
        promotions=_promotions(Path(promotions)),
        extract=_json(Path(extract) / "summary.json", _EXTRACT),
        filters=read_table(path, FILTERS).to_pandas() if (path := Path(extract) / "filters.parquet").exists() else None,
        dirt=read_table(Path(dirt), DIRT).to_pandas() if Path(dirt).exists() else None,
        configuration_digest=_configuration_digest(selection, results),
        pictures=_pictures(
            {
                "segments": segments,
                "compare": compare,
                "differences": differences,
                "select": select,
                "stores": stores,
                "promotions": promotions,
            },
            selection,
            folders,
        ),
        bitmaps=_bitmaps({"compare": compare, "select": select}),
    )
    _check_same(material, str(select))
    slides = presentation(messages(material), "Customer segments")
    written = {"index.html": page(material).encode(), "segments.pptx": slides}
    for name, content in written.items():
        with whole_file(Path(output) / name) as part:
            part.write_bytes(content)
    for lifestage, segment in sorted(material.hidden):
        log.info("%s: segment %d is not shown, for privacy", lifestage, segment)
    log.info("the report is in %s, the presentation beside it in segments.pptx", Path(output) / "index.html")


def _study(folder: Path) -> StudyResult:
    path = folder / "candidates.json"
    told = read_json(path)
    try:
        counts = Counter(str(candidate["status"]) for candidate in told["candidates"])
        names = tuple({str(role): str(name) for role, name in one["names"].items()} for one in told["candidates"])
        said = {name: str(told.get(name, "")) for name in ("question", "hypothesis", "data_digest")}
    except (AttributeError, KeyError, TypeError):
        raise ValueError(f"{path} must be a study's record of candidates; it lacks their names or status.") from None
    board = _frame(folder / "leaderboard.parquet", _BOARD)
    return StudyResult(name=folder.name, status_counts=counts, candidates=names, board=board, **said)


def _selection(path: Path) -> Selection | None:
    return selection_from_json(read_json(path), str(path)) if path.exists() else None


def _csv(path: Path, columns: Mapping[str, str]) -> pd.DataFrame | None:
    """The table with its numbers and texts as ``columns`` say."""
    if not path.exists():
        return None
    texts = [*(name for name, kind in columns.items() if kind == "string"), "segment_name"]
    missing = {name: [""] for name in columns if name not in texts}
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(texts, str), keep_default_na=False, na_values=missing)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError):
        raise ValueError(f"{path} must be a CSV file with a header; it is not one.") from None
    _require(set(columns), table.columns, path)
    try:
        return table.astype({name: kind for name, kind in columns.items() if kind != "string"})
    except (TypeError, ValueError):
        raise ValueError(f"{path} must hold what its stage writes; a number in it is not one.") from None


def _stores(folder: Path) -> StoreResults | None:
    summary = _json(folder / "summary.json", _STORES)
    if summary is None:
        return None
    names = {"profiles": "formats", "segment_profiles": "profiles"}
    names |= {name: name for name in ("differences", "rhythm", "segments")}
    tables = {name: read_arrow(folder / f"{file}.parquet").to_pandas() for name, file in names.items()}
    return StoreResults(summary=summary, **tables)


def _frame(path: Path, columns: set[str]) -> pd.DataFrame | None:
    if not path.exists():
        return None
    table: pd.DataFrame = read_arrow(path).to_pandas()
    if len(table.columns):
        _require(columns, table.columns, path)
    return table


def _json(path: Path, names: set[str]) -> Mapping[str, Any] | None:
    if not path.exists():
        return None
    told = read_json(path)
    _require(names, told, path)
    return told


def _promotions(folder: Path) -> Promotions | None:
    summary = _json(folder / "summary.json", _PROMOTIONS)
    if summary is None:
        return None
    board = {"lifestage": "string", "clusterer": "string", "reducer": "string", "chosen": "bool", RANKED_BY: "float64"}
    return Promotions(
        summary,
        {name: _typed_csv(folder / f"{name}.csv", kinds) for name, kinds in {**TABLES, "leaderboard": board}.items()},
    )


def _typed_csv(path: Path, kinds: Mapping[str, str]) -> pd.DataFrame:
    """A table that stage=promotions wrote; a text that is missing is empty."""
    texts = {name: "str" for name, kind in kinds.items() if kind == "string"}
    try:
        rows: pd.DataFrame = pd.read_csv(path, dtype=texts).fillna(dict.fromkeys(texts, ""))
    except (FileNotFoundError, pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError):
        raise ValueError(f"{path} must be what stage=promotions writes; run it again.") from None
    _require(set(kinds), rows.columns, path)
    return rows


def _require(names: set[str], there: Sequence[str] | Mapping[str, Any] | pd.Index, path: Path) -> None:
    missing = sorted(names - set(there))
    if missing:
        raise ValueError(f"{path} must hold what its stage writes; it lacks {missing}.")


def _configuration_digest(selection: Selection | None, studies: Mapping[str, StudyResult]) -> str:
    """Of the declared rule, the thresholds and the names of all candidates; empty where nothing was selected."""
    if selection is None:
        return ""
    asked = {(one.measure, one.asked) for verdict in selection.verdicts for one in verdict.findings}
    own = studies.get(str(selection.study.get("study")))
    candidates = [dict(names) for names in own.candidates] if own else []
    rule = {"floor": selection.rule.floor, "tie_tolerance": selection.rule.tie_tolerance}
    return digest(
        {
            "rule": {**rule, "cost_rank": list(selection.rule.cost_rank)},
            "features": selection.features,
            "thresholds": sorted(map(list, asked)),
            "candidates": candidates,
        }
    )


def _pictures(stages: Mapping[str, Path], selection: Selection | None, folders: Sequence[Path]) -> dict[str, Picture]:
    """The pictures there are, by stage and name; SVG rather than PNG, as it stays sharp."""
    names = list(_PICTURES)
    for verdict in selection.verdicts if selection else ():
        names += [f"select/figures/{verdict.lifestage}_{kind}" for kind in _OF_EVIDENCE]
        names += [f"segments/figures/{verdict.lifestage}_{kind}" for kind in _OF_SEGMENTS]
    found = {}
    for name in names:
        stage, rest = name.split("/", 1)
        paths = [Path(stages[stage]) / f"{rest}{suffix}" for suffix in (".svg", ".png")]
        there = next((path for path in paths if path.exists()), None)
        if there is not None:
            found[name] = Picture(there.read_bytes())
    own = [folder / "ranking.png" for folder in folders if selection and folder.name == selection.study.get("study")]
    found |= {f"study/{path.stem}": Picture(path.read_bytes()) for path in own if path.exists()}
    return found


def _bitmaps(stages: Mapping[str, Path]) -> dict[str, Picture]:
    """The pictures of the slides, which show no SVG."""
    paths = {name: Path(stages[name.split("/")[0]]) / f"{name.split('/')[1]}.png" for name in PICTURES}
    return {name: Picture(path.read_bytes()) for name, path in paths.items() if path.exists()}


def _check_same(material: Material, select: str) -> None:
    """Raises ValueError where the results are not of one run."""
    selection = material.selection
    if selection is None:
        return
    own, other = (str(told.get("data_digest") or "") for told in (selection.study, material.extract or {}))
    if own and other and own != other:
        raise ValueError(
            f"The verdicts in {select} are of other data than the extract; run dvc repro, or the stages again."
        )
    mailed = str(material.promotions.summary["data_digest"]) if material.promotions else ""
    if own and mailed and own != mailed:
        raise ValueError(f"The promotions are of other data than the verdicts in {select}; run stage=promotions again.")
    if material.sizes is not None:
        counts = material.sizes[material.sizes["segment"] >= 0].groupby("lifestage")["segment"].nunique().to_dict()
        chosen = {lifestage: choice.n_clusters for lifestage, choice in selection.chosen.items()}
        if counts != chosen:
            raise ValueError(
                f"The segments are not those that {select} chooses ({counts}, not {chosen}); run stage=segments again."
            )
    if material.replication is not None:
        methods = material.replication.drop_duplicates("lifestage").set_index("lifestage")["clusterer"].to_dict()
        if methods != {lifestage: choice.clusterer for lifestage, choice in selection.chosen.items()}:
            raise ValueError(f"The differences are not of what {select} chooses; run stage=differences again.")
