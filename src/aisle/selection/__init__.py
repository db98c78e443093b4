"""A leaderboard -> the chosen partition of every lifestage, by a declared rule, with its reasons in sentences."""

from aisle.selection.choosing import select
from aisle.selection.rule import SelectionRule
from aisle.selection.verdict import Choice, RunnerUp, Tally, Verdict, verdicts_from_json, verdicts_to_json

__all__ = [
    "Choice",
    "RunnerUp",
    "SelectionRule",
    "Tally",
    "Verdict",
    "select",
    "verdicts_from_json",
    "verdicts_to_json",
]
