"""Artifacts of a small study, as the stages write them: three lifestages, one of them not segmented."""

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from aisle.evidence import Thresholds, class_of, findings
from aisle.habits import HABITS
from aisle.leaderboard import NAMES, RANKED_BY
from aisle.promotions import TABLES
from aisle.selection import Choice, RunnerUp, Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages.differences import DIFFERENCES, REPLICATION
from aisle.stages.report import run
from aisle.storage import write_csv, write_frame, write_json
from aisle.stores import RHYTHM

DIGEST = "d" * 64
RULE = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans", "ward"])
FEATURES = ("item_count_mean", "basket_size_l_share", "gap_days_mean")
SIZES = {"YA": (60, 30, 20), "PE": (25, 15)}
UNSEEN = "With so many customers a gap of less than 4.25 standard deviations would have been missed."
MEASURES = {"valley_p": 1.0, "null_p": 0.03, "jaccard_worst": 0.9, "jaccard_mean": 0.93, "strength": 0.85}
_NOTHING = Verdict("OF", 50, None, ("Do not segment OF: nothing comes back.",), (), Tally(2, 2, 4, 1, {}, {}), ())


def artifacts(folder: Path, sizes: dict[str, tuple[int, ...]] = SIZES, names: tuple[str, ...] = ()) -> Path:
    """The folder with everything in it; ``names`` are those of the segments of every lifestage."""
    root = folder / "artifacts"
    write_json(selection_to_json(_selection(sizes)), root / "select" / "verdicts.json")
    _study(root / "grid")
    _segments(root / "segments", sizes, names)
    _differences(root / "differences", sizes)
    _comparison(root / "compare", sizes)
    _stores(root / "stores")
    _extract(root / "extract", sizes)
    _promotions(root / "promotions", sizes)
    for picture in (
        "select/methods",
        "compare/heatmap",
        "segments/contrasts",
        "differences/effects",
        "stores/rhythm",
        "promotions/gains",
    ):
        _picture(root / f"{picture}.svg")
        _picture(root / f"{picture}.png")
    for code in sizes:
        for kind in ("evidence", "stability", "gaps", "flow"):
            _picture(root / "select" / "figures" / f"{code}_{kind}.png")
        for kind in ("silhouettes", "planes", "tree", "migration"):
            _picture(root / "segments" / "figures" / f"{code}_{kind}.svg")
    dirt = {"table": ["lines"], "rule": ["The quantity is below 1."], "row_count": [7], "action": ["dropped"]}
    write_frame(pd.DataFrame(dirt), folder / "data" / "dirt.parquet")
    return folder


def slides(folder: Path, floor: int = 10) -> Path:
    """The presentation made from these artifacts."""
    report(folder, floor=floor)
    return folder / "artifacts" / "report" / "segments.pptx"


def report(folder: Path, studies: tuple[str, ...] = ("grid",), floor: int = 10) -> str:
    """The page made from these artifacts."""
    root = folder / "artifacts"
    run(
        studies=[root / study for study in studies],
        extract=root / "extract",
        dirt=folder / "data" / "dirt.parquet",
        select=root / "select",
        differences=root / "differences",
        segments=root / "segments",
        compare=root / "compare",
        stores=root / "stores",
        promotions=root / "promotions",
        privacy_floor=floor,
        output=root / "report",
    )
    return (root / "report" / "index.html").read_text(encoding="utf-8")


def _choice(clusterer: str, segments: int, score: float, evidence_class: str) -> Choice:
    scores = {RANKED_BY: score, "smallest_share": 0.2, "coverage": 1.0}
    key = f"{clusterer}-key"
    return Choice(
        "baskets", "standard", "none", clusterer, key, "n_clusters", float(segments), segments, scores, evidence_class
    )


def _selection(sizes: dict[str, tuple[int, ...]]) -> Selection:
    verdicts = [_NOTHING]
    for place, (code, counts) in enumerate(sizes.items()):
        measures = {**MEASURES, "replication": 0.9 if place == 0 else 0.4, "n_clusters": len(counts)}
        evidence_class = class_of(measures, Thresholds())
        verdicts.append(
            Verdict(
                code,
                sum(counts),
                _choice("kmeans", len(counts), 0.2345, evidence_class),
                (
                    f"The smallest segment holds {min(counts)} customers.",
                    UNSEEN,
                ),
                (
                    RunnerUp("ward", _choice("ward", 2, 0.1111, evidence_class), "Its ranking score is lower."),
                    RunnerUp("hdbscan", None, "None of its 18 partitions is eligible."),
                ),
                Tally(4, 3, 8, 2, {}, {}),
                (),
                evidence_class,
                findings(measures, Thresholds()),
            )
        )
    study = {"study": "grid", "question": "Which?", "data_digest": DIGEST}
    return Selection(
        "baskets", RULE, study, tuple(verdicts), ("Of 2 lifestages: all is told.", "kmeans is above ward.")
    )


def _study(folder: Path) -> None:
    names = dict(zip(NAMES, ("YA", "baskets", "standard", "none", "kmeans"), strict=True))
    told = {"study": "grid", "question": "Which method is best?", "data_digest": DIGEST}
    asked = [{"names": names, "key": "kmeans-key", "status": "finished", "reason": ""}]
    write_json({**told, "candidates": asked}, folder / "candidates.json")
    row = {**names, RANKED_BY: 0.2345, "eligible": True, "coverage": 1.0, "n_clusters": 3}
    write_frame(pd.DataFrame([row]), folder / "leaderboard.parquet")


def _segments(folder: Path, sizes: dict[str, tuple[int, ...]], names: tuple[str, ...]) -> None:
    rows, profile = [], []
    for code, counts in sizes.items():
        for segment, count in enumerate(counts):
            share = count / sum(counts)
            named = {"segment_name": names[segment]} if names else {}
            shares = {"customer_share": share, "basket_share": share, "spend_share": np.nan}
            rows.append({"lifestage": code, "segment": segment, **named, "customer_count": count, **shares})
            profile += [
                {
                    "lifestage": code,
                    "segment": segment,
                    "feature": feature,
                    "mean": 1000.0 + 100 * segment + place,
                    "median": 1.0,
                    "lifestage_mean": 1050.0,
                    "index": np.nan if place == 2 else 90.0 + segment,
                    "standardised_mean": float(segment) - 0.5 + place,
                }
                for place, feature in enumerate(FEATURES)
            ]
    bought = [
        {
            "lifestage": code,
            "segment": segment,
            "habit": habit,
            "value": value,
            "customer_count": count if value != "caviar" else 4,
            "share": 0.25 + 0.05 * segment,
            "lifestage_share": 0.25,
            "index": 100.0 + 20 * segment,
        }
        for code, counts in sizes.items()
        for segment, count in enumerate(counts)
        for habit, values in (("product group", ("bakery", "caviar")), ("weekday", ("Monday", "Sunday")))
        for value in values
    ]
    write_frame(pd.DataFrame(bought, columns=list(HABITS)).astype(HABITS), folder / "habits.parquet")
    columns = ["lifestage", "segment", "customer_count", "customer_share", "basket_share", "spend_share"]
    write_csv(pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns), folder / "sizes.csv")
    kinds = ["lifestage", "segment", "feature", "mean", "median", "lifestage_mean", "index", "standardised_mean"]
    write_frame(pd.DataFrame(profile, columns=kinds), folder / "profiles.parquet")


def _differences(folder: Path, sizes: dict[str, tuple[int, ...]]) -> None:
    rows, tested = [], []
    for place, (code, counts) in enumerate(sizes.items()):
        for halves in ("baskets", "weeks"):
            row = dict.fromkeys(REPLICATION, 0) | {"lifestage": code, "clusterer": "kmeans", "reducer": "none"}
            row |= {"halves": halves, "found_on": "odd", "looked_at": "even", "why_not": "", "n_clusters": len(counts)}
            rows.append({**row, "customer_count": sum(counts), "replication": 0.81 - 0.3 * place, "stayed_share": 0.7})
        for feature, effect in zip(FEATURES, (0.5, 0.3, 0.01), strict=True):
            row = dict.fromkeys(DIFFERENCES, 0.5) | {
                "lifestage": code,
                "feature": feature,
                "segment": 1,
                "untested": "",
            }
            row |= {"customer_count_baskets": 9, "customer_count_weeks": 9, "differs": effect > 0.1}
            tested.append({**row, "epsilon_squared": effect, "q_value": 1e-9 if effect > 0.1 else 0.4})
    write_frame(pd.DataFrame(rows, columns=list(REPLICATION)).astype(REPLICATION), folder / "replication.parquet")
    write_frame(pd.DataFrame(tested, columns=list(DIFFERENCES)).astype(DIFFERENCES), folder / "differences.parquet")


def _comparison(folder: Path, sizes: dict[str, tuple[int, ...]]) -> None:
    everybody = [f"{code} {segment}" for code, counts in sizes.items() for segment in range(len(counts))]
    nearest = {
        name: {"segment": next(other for other in everybody if other[:2] != name[:2]), "correlation": 0.5 + place / 10}
        for place, name in enumerate(everybody)
        if len(sizes) > 1
    }
    told = {"features": "baskets", "segments": {}, "order": everybody, "notes": ["The level is removed."]}
    told |= {"nearest": {"common": nearest, "lifestage": nearest}, "without_segments": {"OF": "Nothing comes back."}}
    told["kinds"] = [[f"{name} so called" for name in own] for own in (everybody[:2], everybody[2:]) if own]
    write_json(told, folder / "summary.json")
    pairs = [
        {
            "scale": scale,
            "lifestage_a": a[:-2],
            "segment_a": int(a[-1]),
            "lifestage_b": b[:-2],
            "segment_b": int(b[-1]),
            "correlation": 0.5,
            "low": 0.25,
            "high": 0.75,
        }
        for scale in ("lifestage", "common")
        for a in everybody
        for b in everybody
        if a[:-2] < b[:-2]
    ]
    columns = ["scale", "lifestage_a", "segment_a", "lifestage_b", "segment_b", "correlation", "low", "high"]
    frame = pd.DataFrame(pairs, columns=columns)
    write_frame(frame, folder / "correlations.parquet")
    write_csv(frame, folder / "matches.csv")
    cuts = [
        {"scale": "common", "rule_of": rule, "lifestage": code, "customer_count": 9, "agreement": 0.62}
        for rule in sizes
        for code in sizes
        if rule != code
    ]
    columns = ["scale", "rule_of", "lifestage", "customer_count", "agreement", "own_agreement"]
    write_csv(pd.DataFrame(cuts, columns=columns).assign(own_agreement=0.93), folder / "agreement.csv")
    shares = {"lifestage_share": 0.034, "chance_share": 0.005, "segment_share": 0.41, "p_value": 0.001}
    write_csv(pd.DataFrame([{"feature": feature, **shares} for feature in FEATURES]), folder / "variance.csv")


def _stores(folder: Path) -> None:
    profile = pd.DataFrame(
        {
            "format": ["LS", "MS"] * 2,
            "feature": ["spend_mean"] * 2 + ["hour_mean"] * 2,
            "mean": [13.6, 10.2, 14.5, 14.6],
        }
    )
    differing = {"feature": ["spend_mean", "hour_mean"], "differs": [True, False], "eta_squared": [0.31, 0.01]}
    counts = {"segment": [0, 0, 1, 1], "format": ["LS", "MS"] * 2, "store_count": [20, 5, 3, 12]}
    shares = {"share_of_segment": [0.8, 0.2, 0.2, 0.8], "share_of_format": [0.87, 0.29, 0.13, 0.71]}
    ratios = dict.fromkeys((name for name, kind in RHYTHM.items() if kind == "float64"), 1.25)
    rows = [
        {"contrast": contrast, "format": format_, "kind": kind, "value": value, "store_count": 40, "basket_count": 900}
        | ratios
        | ({"ratio": np.nan} if value == "Mixed" else {"ratio_low": 1.1, "ratio_high": 1.4})
        for contrast in ("weekend", "working hours")
        for format_ in ("all", "LS", "MS")
        for kind, value in (("all", "all"), ("basket_type", "Full Shop"), ("dominant_mission", "Mixed"))
    ]
    write_frame(profile, folder / "formats.parquet")
    write_frame(pd.DataFrame(differing | {"q_value": [0.002, 0.4]}), folder / "differences.parquet")
    write_frame(pd.DataFrame(counts | shares), folder / "segments.parquet")
    apart = {"segment": [0, 0, 1, 1], "feature": ["spend_mean", "hour_mean"] * 2, "mean": [14.0, 14.1, 9.0, 14.2]}
    write_frame(pd.DataFrame(apart | {"standardised_mean": [0.9, 0.0, -0.9, 0.1]}), folder / "profiles.parquet")
    write_frame(pd.DataFrame(rows, columns=list(RHYTHM)).astype(RHYTHM), folder / "rhythm.parquet")
    told = {
        "store_count": 40,
        "feature_count": 2,
        "formats": {"LS": 23, "MS": 17},
        "class": "constructive",
        "question": "Which kinds?",
    }
    sentences = ["Store formats differ: all of it.", "Segments of stores are not the formats."]
    write_json({**told, "sentences": sentences, "reasons": ["They come back on average."]}, folder / "summary.json")


def _extract(folder: Path, sizes: dict[str, tuple[int, ...]]) -> None:
    lifestages = {code: {"customer_count": sum(counts), "basket_count": 999} for code, counts in sizes.items()}
    told = {"absent": ["store_format"], "basket_count": 12345, "customer_count": 150, "data_digest": DIGEST}
    days = {"first_day": "2024-01-01", "last_day": "2024-03-31"}
    write_json({**told, **days, "lifestages": lifestages}, folder / "summary.json")
    dropped = {"filter": ["no customer"], "basket_count": [702], "customer_count": [291]}
    write_frame(pd.DataFrame(dropped), folder / "filters.parquet")


def _promotions(folder: Path, sizes: dict[str, tuple[int, ...]]) -> None:
    """One campaign, one type; the effect can be told of the first segment of every lifestage only."""
    if not sizes:
        return
    segments = [(code, segment, count) for code, counts in sizes.items() for segment, count in enumerate(counts)]
    groups = [{"grouping": "segment", "group": f"{code} {one}", "customer_count": n} for code, one, n in segments]
    told = {"outcome": "redeemed", "useful": True, "sentence": "Segments capture 42 % of what can be known."}
    rows: dict[str, list[dict[str, object]]] = {
        "campaigns": [{"campaign_id": "m1", "campaign_type": "leaflet", "why_not": ""}],
        "responses": [{**group, "campaign_type": "leaflet", "responder_count": 9} for group in groups],
        "effects": [
            {**group, "campaign_type": "leaflet", "response": "spend", "told": group["group"].endswith("0")}
            | {"reason": "" if group["group"].endswith("0") else "too few responders"}
            for group in groups
        ],
        "usefulness": [{"outcome": "redeemed", "predictor": name} for name in ("base rate", "segments")],
        "discounts": [dict(group) for group in groups],
        "buying": [],
        "plan": [
            {"lifestage": code, "segment": one, "segment_name": "some", "customer_count": n, "campaign_type": "leaflet"}
            | {"basis": "the share", "trial_possible": "no: too few", "buys_more": f"caviar of {code} {one}"}
            for code, one, n in segments
        ],
    }
    blank = {"string": "", "float64": 0.25, "int64": 40, "bool": False}
    for name, columns in TABLES.items():
        whole = [{column: row.get(column, blank[kind]) for column, kind in columns.items()} for row in rows[name]]
        write_csv(pd.DataFrame(whole, columns=list(columns)), folder / f"{name}.csv")
    names = {"lifestage": next(iter(sizes)), "clusterer": "kmeans", "reducer": "none", "chosen": True, "n_clusters": 2}
    gains = {f"use/redeemed_gain{end}": value for end, value in (("", 0.02), ("_low", 0.01), ("_high", 0.03))}
    write_csv(pd.DataFrame([{**names, RANKED_BY: 0.2, **gains}]), folder / "leaderboard.csv")
    write_json({"answers": [told], "data_digest": DIGEST, "notes": ["Nothing is left out."]}, folder / "summary.json")


def _picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_drawn(path.suffix.removeprefix(".")))


@cache
def _drawn(kind: str) -> bytes:
    figure = Figure(figsize=(8, 3))
    figure.add_subplot().plot([1, 2], [2, 1])
    content = BytesIO()
    figure.savefig(content, format=kind)
    return content.getvalue()
