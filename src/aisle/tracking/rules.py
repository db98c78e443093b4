"""The run of the rule by which every customer gets a segment: how far it can be trusted, and the rule as a model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aisle.rules import LIFESTAGE, TRUSTED, SegmentRules
from aisle.tracking.notes import table
from aisle.tracking.run_content import Model, RunContent, Score, Table

ALIAS: Final = "chosen"
_COLUMNS: Final = ("agreement", "adjusted_rand", "largest_share")


def rules_content(
    *,
    told: Mapping[str, Any],
    rules: SegmentRules,
    digest: str,
    files: Mapping[str, Path],
    provenance: Mapping[str, str],
) -> RunContent:
    """The run of a study's rules. ``told`` is the agreement.json of stage=assign, ``digest`` that of the stored rules.

    The model ``aisle-<study>`` is there if a lifestage has a rule. Its example is no customer: means of the lifestages.
    """
    study, lifestages = str(told["study"]), told["lifestages"]
    scores = [
        Score(f"{column}/{lifestage}", float(own[column]), 0)
        for lifestage, own in lifestages.items()
        for column in _COLUMNS
    ]
    seen = told["customers"]
    scores += [Score(f"customers/{name}", float(seen[name]), 0) for name in ("in_database", "in_segment")]
    tags = {"study": study, "kind": "rule"} | ({"data_digest": told["data_digest"]} if told["data_digest"] else {})
    return RunContent(
        name=f"Rule · {study}",
        identity="rule",
        status="FINISHED",
        note=_note(told),
        tags=tags,
        params={f"rule.{lifestage}": str(own["rule"]) for lifestage, own in lifestages.items()},
        scores=tuple(scores),
        tables=lambda: {"agreement.json": _table(lifestages)},
        provenance=provenance,
        files=files,
        model=_model(study, rules, digest) if rules.rules else None,
    )


def _model(study: str, rules: SegmentRules, digest: str) -> Model:
    rows = tuple((lifestage, *rule.mean_.tolist()) for lifestage, rule in rules.rules.items())
    example = Table((LIFESTAGE, *rules.columns), rows)
    name = f"aisle-{study}"
    return Model(name, ALIAS, rules, digest, example, "segment", _description(study, name), TRUSTED)


def _description(study: str, name: str) -> str:
    return (
        f"The rule by which every customer gets a segment of the study **{study}**. A row is a customer: "
        f"`{LIFESTAGE}` and features in, the number of the segment out.\n\n"
        f"`mlflow.pyfunc.load_model('models:/{name}@{ALIAS}').predict(rows)`"
    )


def _table(lifestages: Mapping[str, Any]) -> Table:
    rows = tuple(
        (name, own["candidate_key"], own["rule"], own["customer_count"], *(own[column] for column in _COLUMNS))
        for name, own in lifestages.items()
    )
    return Table(("lifestage", "candidate_key", "rule", "customer_count", *_COLUMNS), rows)


def _note(told: Mapping[str, Any]) -> str:
    """Markdown: what the rule is, how well it gives back the study's segments, and who gets none."""
    head = ("lifestage", "by the nearest", "agreement", "adjusted Rand index", "largest segment")
    rows = [
        (
            lifestage,
            own["rule"],
            f"{own['agreement']:.1%}",
            f"{own['adjusted_rand']:.3f}",
            f"{own['largest_share']:.1%}",
        )
        for lifestage, own in told["lifestages"].items()
    ]
    seen = told["customers"]
    none = "".join(f" {why}: {count}." for why, count in seen["reasons"].items())
    said = [
        "How every customer gets a segment. Agreement: the share of the study's customers who are given back their "
        "segment by the others alone; everybody in the largest segment would reach the last column.",
        table(head, rows),
        f"{seen['in_segment']} of {seen['in_database']} customers of the database are in a segment.{none}",
        *(f"**{lifestage}** has no rule: {why}" for lifestage, why in told["without"].items()),
    ]
    return "\n\n".join(said)
