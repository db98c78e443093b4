"""What a report is made of: the results of the stages that were run; None where one was not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from aisle.report.html import Picture
from aisle.report.privacy import hidden_segments
from aisle.selection import Selection


@dataclass(frozen=True, eq=False)
class StudyResult:
    """One study: what it asked and what it found.

    ``status_counts`` are candidates by status, ``candidates`` the names of their options by role; ``board`` is the
    leaderboard, None where there is none.
    """

    name: str
    question: str
    hypothesis: str
    data_digest: str
    status_counts: Mapping[str, int]
    candidates: tuple[Mapping[str, str], ...]
    board: pd.DataFrame | None


@dataclass(frozen=True, eq=False)
class StoreResults:
    """What stage=stores wrote: a summary and tables; the last two are empty where no segments were chosen."""

    summary: Mapping[str, Any]
    profiles: pd.DataFrame
    differences: pd.DataFrame
    rhythm: pd.DataFrame
    segments: pd.DataFrame
    segment_profiles: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Promotions:
    """What stage=promotions wrote: its ``summary``, and its tables by name."""

    summary: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Material:
    """The results a report shows. ``pictures`` are by the name of their file below the artifacts, without suffix.

    ``bitmaps`` are those of them that slides show, as PNG. ``pairs``, ``matches``, ``agreement`` and ``variance`` are
    the tables of the comparison. Segments with fewer than ``privacy_floor`` customers are not shown, see
    `aisle.report.privacy`.
    """

    privacy_floor: int
    studies: tuple[StudyResult, ...] = ()
    missing_studies: tuple[str, ...] = ()
    selection: Selection | None = None
    sizes: pd.DataFrame | None = None
    profiles: pd.DataFrame | None = None
    habits: pd.DataFrame | None = None
    comparison: Mapping[str, Any] | None = None
    pairs: pd.DataFrame | None = None
    matches: pd.DataFrame | None = None
    agreement: pd.DataFrame | None = None
    variance: pd.DataFrame | None = None
    replication: pd.DataFrame | None = None
    differences: pd.DataFrame | None = None
    stores: StoreResults | None = None
    promotions: Promotions | None = None
    extract: Mapping[str, Any] | None = None
    filters: pd.DataFrame | None = None
    dirt: pd.DataFrame | None = None
    configuration_digest: str = ""
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    bitmaps: Mapping[str, Picture] = field(default_factory=dict)

    @cached_property
    def hidden(self) -> frozenset[tuple[str, int]]:
        """Lifestage and number of the segments that are not shown."""
        return hidden_segments(self.sizes, self.privacy_floor)

    @cached_property
    def veiled(self) -> frozenset[str]:
        """The lifestages that have a segment which is not shown."""
        return frozenset(lifestage for lifestage, _ in self.hidden)

    @property
    def data_digest(self) -> str:
        """Of the data that everything was computed from; empty where nothing says so."""
        told = self.extract.get("data_digest", "") if self.extract else ""
        of_studies = (study.data_digest for study in self.studies if study.data_digest)
        return str(told) or next(of_studies, "")

    def segment_name(self, lifestage: str, segment: int) -> str:
        """The plain name of a segment; empty where it has none."""
        if self.sizes is None or "segment_name" not in self.sizes:
            return ""
        same = (self.sizes["lifestage"] == lifestage) & (self.sizes["segment"] == segment)
        names = self.sizes.loc[same, "segment_name"].dropna()
        return str(names.iloc[0]) if len(names) else ""
