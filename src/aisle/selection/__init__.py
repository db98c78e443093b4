"""A leaderboard -> the chosen partition of every lifestage, by a declared rule, with its reasons in sentences."""

from aisle.selection.across import ranks, together
from aisle.selection.choosing import select
from aisle.selection.gaps import with_smallest_gap
from aisle.selection.rule import SelectionRule, checked_floor
from aisle.selection.verdict import Choice, RunnerUp, Selection, Tally, Verdict, selection_from_json, selection_to_json

__all__ = [
    "Choice",
    "RunnerUp",
    "Selection",
    "SelectionRule",
    "Tally",
    "Verdict",
    "checked_floor",
    "ranks",
    "select",
    "selection_from_json",
    "selection_to_json",
    "together",
    "with_smallest_gap",
]
