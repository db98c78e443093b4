"""What a verdict is, and its form in JSON."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aisle.evidence import Finding
from aisle.leaderboard import RANKED_BY
from aisle.selection.rule import SelectionRule


@dataclass(frozen=True)
class Choice:
    """One partition of one candidate.

    ``scores`` are all numbers the leaderboard and the evidence have of it; NaN = undefined. ``evidence_class`` is None
    where no evidence was computed.
    """

    features: str
    scaler: str
    reducer: str
    clusterer: str
    candidate_key: str
    parameter: str
    tuning_value: float
    n_clusters: int
    scores: Mapping[str, float]
    evidence_class: str | None = None

    @property
    def evidence(self) -> dict[str, float]:
        """The measures of `aisle.evidence` by their names; empty where no evidence was computed."""
        prefix = "evidence/"
        own = {name.removeprefix(prefix): value for name, value in self.scores.items() if name.startswith(prefix)}
        return {**own, "n_clusters": self.n_clusters} if own else {}

    @property
    def ranking_score(self) -> float:
        """The score partitions are ranked by, in [-1, 1], higher is better."""
        return self.scores[RANKED_BY]

    def __str__(self) -> str:
        reduced = "without reduction" if self.reducer == "none" else f"after {self.reducer}"
        segments = "" if self.parameter == "n_clusters" else f", {self.n_clusters} segments"
        return f"{self.clusterer} {reduced} ({self.scaler} scaler, {self.parameter} = {self.tuning_value:g}{segments})"


@dataclass(frozen=True)
class RunnerUp:
    """The best partition of another method (clusterer), None where none is eligible, and why it was not chosen."""

    method: str
    best: Choice | None
    why: str


@dataclass(frozen=True)
class Tally:
    """How many were compared. ``excluded`` (partitions) and ``unfinished`` (candidates) map a reason to its count."""

    candidates: int
    methods: int
    partitions: int
    eligible: int
    excluded: Mapping[str, int]
    unfinished: Mapping[str, int]


@dataclass(frozen=True)
class Verdict:
    """What is chosen for one lifestage (None: nothing can or should be), why, against whom, and what is not known.

    ``customer_count`` is None where no candidate was fitted; ``evidence_class`` where there was nothing to
    judge or no evidence was computed. ``findings`` are the measures of the best partition against their thresholds;
    ``rejected`` is that partition where the lifestage is not to be segmented.
    """

    lifestage: str
    customer_count: int | None
    chosen: Choice | None
    reasons: tuple[str, ...]
    runners_up: tuple[RunnerUp, ...]
    tally: Tally
    not_known: tuple[str, ...]
    evidence_class: str | None = None
    findings: tuple[Finding, ...] = ()
    rejected: Choice | None = None

    @property
    def margin(self) -> float | None:
        """By how much the chosen ranking score exceeds that of the next method; None without either."""
        following = next((runner.best for runner in self.runners_up if runner.best), None)
        if self.chosen is None or following is None:
            return None
        return self.chosen.ranking_score - following.ranking_score


@dataclass(frozen=True)
class Selection:
    """The verdicts on a study within one feature block, by one rule. ``study`` is what the study says of itself.

    ``overall`` are the sentences on all lifestages together.
    """

    features: str
    rule: SelectionRule
    study: Mapping[str, Any]
    verdicts: tuple[Verdict, ...]
    overall: tuple[str, ...] = ()

    @property
    def block(self) -> str:
        """The option that made the features, without what was changed inside it: the name of their file."""
        return self.features.split(" ")[0]

    @property
    def chosen(self) -> dict[str, Choice]:
        """Lifestage -> choice, without the lifestages for which nothing is chosen."""
        return {verdict.lifestage: verdict.chosen for verdict in self.verdicts if verdict.chosen}


def selection_to_json(selection: Selection) -> dict[str, Any]:
    """The selection as plain JSON values, verdicts by lifestage; an undefined score is null."""
    told = _plain(asdict(selection))
    return {**told, "verdicts": {verdict["lifestage"]: verdict for verdict in told["verdicts"]}}


def selection_from_json(content: Mapping[str, Any], origin: str) -> Selection:
    """What `selection_to_json` wrote, verdicts sorted by lifestage; ``origin`` names the file in errors.

    Raises:
        ValueError: it is something else.
    """
    try:
        rule = SelectionRule(**content["rule"])
        verdicts = tuple(_verdict(content["verdicts"][lifestage]) for lifestage in sorted(content["verdicts"]))
        overall = tuple(content.get("overall", ()))
        return Selection(content["features"], rule, content["study"], verdicts, overall)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{origin} must hold the verdicts that stage=select writes; it does not.") from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _verdict(told: Mapping[str, Any]) -> Verdict:
    runners_up = tuple(RunnerUp(**{**runner, "best": _choice(runner["best"])}) for runner in told["runners_up"])
    found = tuple(Finding(**{**one, "value": _number(one["value"])}) for one in told.get("findings", ()))
    read = {"chosen": _choice(told["chosen"]), "runners_up": runners_up, "tally": Tally(**told["tally"])}
    read["rejected"] = _choice(told.get("rejected"))
    texts = {name: tuple(told[name]) for name in ("reasons", "not_known")}
    return Verdict(**{**told, **read, **texts, "findings": found})


def _choice(told: Mapping[str, Any] | None) -> Choice | None:
    if told is None:
        return None
    return Choice(**{**told, "scores": {name: _number(value) for name, value in told["scores"].items()}})


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
