"""What is published: the segment of every customer, the names of the segments, and what they were made from."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.csv

from aisle.partition import NOISE
from aisle.profiles import LABELS
from aisle.tables import COUNT, MOMENT, TEXT, Column, Table

LONGEST = {"customer_id": 512, "lifestage": 64, "segment_name": 512, "evidence_class": 64}
"""Most characters a published text may have; an index of MySQL holds no more."""

_CUSTOMER = {
    "customer_id": Column(TEXT, "customer"),
    "lifestage": Column(TEXT, "the lifestage within which the customer was segmented"),
    "segment": Column(COUNT, "id of the segment within its lifestage; refits keep it", minimum=0),
    "segment_name": Column(TEXT, "name of the segment"),
    "candidate_key": Column(TEXT, "key of the candidate whose partition it is"),
    "evidence_class": Column(TEXT, "what the evidence says of the segments; null = not computed", nullable=True),
    "data_digest": Column(TEXT, "digest of the data the candidate was fitted on"),
}
_RUN = Column(TEXT, "publication, named by the digest of its content and of the run before it")

CUSTOMER_SEGMENT_PERIODS = Table(
    name="customer_segment_periods",
    grain="customer, lifestage and period in one segment of one name",
    key=("customer_id", "lifestage", "opened_by"),
    columns={
        "customer_id": _CUSTOMER["customer_id"],
        "lifestage": _CUSTOMER["lifestage"],
        "opened_by": Column(COUNT, "number of the run that opened the period", minimum=1),
        "segment": _CUSTOMER["segment"],
        "closed_by": Column(COUNT, "number of the run that closed the period; 0 = it lasts", minimum=0),
    },
)
CUSTOMER_SEGMENTS = Table(
    name="customer_segments",
    grain="customer and lifestage, as last published",
    key=("customer_id", "lifestage"),
    columns={
        **_CUSTOMER,
        "run": Column(TEXT, "the latest run, which confirmed the segment"),
        "valid_from": Column(MOMENT, "since when the customer has this segment and name (UTC)"),
    },
)
CUSTOMER_SEGMENT_HISTORY = Table(
    name="customer_segment_history",
    grain="customer, lifestage and period in one segment of one name",
    key=("customer_id", "lifestage", "run"),
    columns={
        **_CUSTOMER,
        "run": Column(TEXT, "the run that opened the period"),
        "valid_from": Column(MOMENT, "when the period began (UTC)"),
        "valid_to": Column(MOMENT, "when it ended (UTC), itself outside; null = it lasts", nullable=True),
        "closed_by": Column(TEXT, "the run that closed the period; null = it lasts", nullable=True),
    },
)
CUSTOMER_SEGMENT_RUNS = Table(
    name="customer_segment_runs",
    grain="run",
    key=("run",),
    columns={
        "run": _RUN,
        "run_number": Column(COUNT, "1, 2, 3, ... in the order of publishing", minimum=1),
        "previous_run": Column(TEXT, "the run before; null = it was the first", nullable=True),
        "content_digest": Column(TEXT, "digest of labels, names, candidates and data"),
        "data_digest": Column(TEXT, "digest of the data the candidates were fitted on"),
        "valid_from": Column(MOMENT, "when it was published (UTC)"),
        "opened_count": Column(COUNT, "customers who came into a segment, or into another", minimum=0),
        "closed_count": Column(COUNT, "customers who left a segment, for another or for none", minimum=0),
        "unchanged_count": Column(COUNT, "customers who stayed", minimum=0),
    },
)
CUSTOMER_SEGMENT_LABELS = Table(
    name="customer_segment_labels",
    grain="segment of a run",
    key=("run", "lifestage", "segment"),
    columns={
        "run": _RUN,
        "lifestage": _CUSTOMER["lifestage"],
        "segment": _CUSTOMER["segment"],
        "label": Column(COUNT, "label of the cluster in the candidate's partition", minimum=0),
        "segment_name": _CUSTOMER["segment_name"],
        "customer_count": Column(COUNT, "customers in the segment", minimum=1),
        "candidate_key": _CUSTOMER["candidate_key"],
        "evidence_class": _CUSTOMER["evidence_class"],
    },
    references={"run": "customer_segment_runs"},
)
CUSTOMER_SEGMENT_MIGRATION = Table(
    name="customer_segment_migration",
    grain="run and pair of segments, before and after it",
    key=("run", "lifestage", "from_segment", "to_segment"),
    columns={
        "run": _RUN,
        "lifestage": _CUSTOMER["lifestage"],
        "from_segment": Column(COUNT, "segment before the run; -1 = in none", minimum=NOISE),
        "to_segment": Column(COUNT, "segment after the run; -1 = in none", minimum=NOISE),
        "customer_count": Column(COUNT, "customers who went this way, or stayed", minimum=1),
    },
    references={"run": "customer_segment_runs"},
)
CUSTOMER_SEGMENT_COLUMNS = Table(
    name="customer_segment_columns",
    grain="column of another table that is kept equal to the customers' segment names",
    key=("table_name", "column_name"),
    columns={
        "table_name": Column(TEXT, "table of customers"),
        "column_name": Column(TEXT, "column that stage=publish added and writes"),
        "key_column": Column(TEXT, "the table's column that holds customer_id"),
    },
)
PUBLISHED = {
    table.name: table
    for table in (
        CUSTOMER_SEGMENT_RUNS,
        CUSTOMER_SEGMENT_LABELS,
        CUSTOMER_SEGMENT_MIGRATION,
        CUSTOMER_SEGMENT_COLUMNS,
        CUSTOMER_SEGMENT_PERIODS,
    )
}
"""The tables that publishing writes, those first that others refer to."""
PUBLISHED_VIEWS = {view.name: view for view in (CUSTOMER_SEGMENTS, CUSTOMER_SEGMENT_HISTORY)}
"""What readers select from: a period with all that its run says of its segment."""


@dataclass(frozen=True, eq=False)
class Publication:
    """A result to publish. Making one checks it.

    ``labels``: customer_id, lifestage, segment (the candidate's label, -1 = in no segment), as `aisle.profiles` has
    them. ``candidates`` maps a lifestage to the key of its candidate, ``evidence`` to what the evidence says of it,
    ``names`` a lifestage and label to a name; a segment without one is called by its lifestage and published id.

    Raises:
        ValueError: nobody is in a segment, a customer is missing, occurs twice in a lifestage or has a text too long,
            or a lifestage has no candidate.
    """

    labels: pd.DataFrame
    candidates: Mapping[str, str]
    evidence: Mapping[str, str]
    names: Mapping[tuple[str, int], str]
    data_digest: str

    def __post_init__(self) -> None:
        missing = sorted(set(LABELS) - set(self.labels.columns))
        if missing:
            raise ValueError(f"The labels to publish must have the columns {LABELS}; they lack {missing}.")
        if self.labels[LABELS].isna().to_numpy().any():
            raise ValueError(
                "The labels to publish must have a customer, lifestage and segment in every row; some lack one."
            )
        if not pd.api.types.is_integer_dtype(self.labels["segment"].dtype):
            raise ValueError(f"The labels to publish must be integers; got {self.labels['segment'].dtype}.")
        if not (self.labels["segment"] > NOISE).any():
            raise ValueError(
                "A publication must have a customer in a segment; all are in none (-1) or there are no labels."
            )
        twice = self.labels.duplicated(["customer_id", "lifestage"])
        if twice.any():
            first = self.labels.loc[twice, ["customer_id", "lifestage"]].iloc[0].tolist()
            raise ValueError(
                f"A customer must have one label in a lifestage; {int(twice.sum())} rows repeat one, such as {first}."
            )
        unknown = sorted(set(self.labels["lifestage"].unique()) - set(self.candidates))
        if unknown:
            raise ValueError(f"Every lifestage of the labels must have a chosen candidate; {unknown} have none.")
        self._check_lengths()

    def _check_lengths(self) -> None:
        texts = {
            "customer_id": self.labels["customer_id"],
            "lifestage": pd.Series(list(self.candidates)),
            "segment_name": pd.Series(list(self.names.values()), dtype=object),
            "evidence_class": pd.Series(list(self.evidence.values()), dtype=object),
        }
        for name, values in texts.items():
            lengths = values.astype(str).str.len()
            if (lengths > LONGEST[name]).any():
                raise ValueError(
                    f"{name} must have at most {LONGEST[name]} characters to be published; one has {lengths.max()}."
                )

    def segmented(self) -> pyarrow.Table:
        """Customers in a segment: customer_id, lifestage, label; sorted by customer and lifestage."""
        inside = self.labels[self.labels["segment"] > NOISE]
        schema = pyarrow.schema([("customer_id", TEXT), ("lifestage", TEXT), ("label", COUNT)])
        columns = inside[LABELS].set_axis(schema.names, axis="columns")
        rows = pyarrow.Table.from_pandas(columns, schema=schema, preserve_index=False)
        return rows.sort_by([("customer_id", "ascending"), ("lifestage", "ascending")])

    def content_digest(self) -> str:
        """SHA-256 of all that is published, whatever the order of its rows; 64 hexadecimal digits."""
        named = sorted([lifestage, int(label), name] for (lifestage, label), name in self.names.items())
        told = [dict(self.candidates), dict(self.evidence), named, self.data_digest]
        text = io.BytesIO(json.dumps(told, sort_keys=True).encode())
        text.seek(0, io.SEEK_END)
        pyarrow.csv.write_csv(self.segmented(), text)
        return hashlib.sha256(text.getbuffer()).hexdigest()

    def described(self, matched: pd.DataFrame) -> pd.DataFrame:
        """`matched` (see `aisle.matching.match_segments`) with name, candidate and evidence of every segment."""
        keys = list(zip(matched["lifestage"], matched["label"], matched["segment"], strict=True))
        evidence = [self.evidence.get(stage) for stage, _, _ in keys]
        return matched.assign(
            segment_name=[self.names.get((stage, label)) or f"{stage} {segment}" for stage, label, segment in keys],
            candidate_key=[self.candidates[stage] for stage, _, _ in keys],
            evidence_class=pd.Series(evidence, index=matched.index, dtype=object),
        )


def run_of(content_digest: str, previous_run: str | None) -> str:
    """The name of the run that publishes this content after that run; 32 hexadecimal digits.

    The run before is part of it, so that content which comes back is a run of its own.
    """
    return hashlib.sha256(f"{content_digest} after {previous_run}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Receipt:
    """What the run in force did; ``run`` is None where nothing is published.

    ``segments`` are rows of lifestage, segment, label, segment_name, customer_count, by lifestage and segment.
    """

    run: str | None
    previous_run: str | None
    content_digest: str | None
    data_digest: str | None
    candidate_keys: Mapping[str, str]
    opened: int
    closed: int
    unchanged: int
    segments: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; no time and no place is among them."""
        return {**asdict(self), "segments": [dict(segment) for segment in self.segments]}


NOTHING_PUBLISHED = Receipt(None, None, None, None, {}, 0, 0, 0, ())
