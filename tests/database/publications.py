"""Results to publish, and all that is in the database of them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from aisle.database import Server, Session
from aisle.publication import PUBLISHED, PUBLISHED_VIEWS, Publication

NOON = datetime(2026, 1, 31, 12)


def day(number: int) -> datetime:
    return NOON + timedelta(days=number, microseconds=number)


def publication(rows: Iterable[tuple[str, str, int]], key: str = "key", **changes: Any) -> Publication:
    """Customers, lifestages and labels as a result to publish."""
    labels = pd.DataFrame(list(rows), columns=["customer_id", "lifestage", "segment"])
    given = {
        "candidates": {lifestage: f"{key}-{lifestage}" for lifestage in labels["lifestage"].unique()},
        "evidence": {"YA": "reproducible"},
        "names": {},
        "data_digest": f"data of {key}",
    }
    return Publication(labels=labels, **{**given, **changes})


def drawn(seed: int, customers: int = 60) -> Publication:
    """A result like a refit's: most customers stay together, some move, come or go, some lifestages vanish."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        lifestage = ("YA", "OA", "YF")[number % 3 if rng.random() > 0.02 else 0]
        label = int(number // 3 % 3 if rng.random() > 0.15 else rng.integers(0, 4))
        if rng.random() < 0.9 and not (lifestage == "YF" and seed % 3 == 2):
            rows.append((f"c{number:05d}", lifestage, (label + seed) % 4 if rng.random() > 0.1 else -1))
    names = {("OA", label): f"OA name {label}" for label in range(4)} if seed % 2 else {}
    return publication(rows, f"key {seed}", names=names)


def state(server: Server) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all published tables and views."""
    with server.reading() as session:
        return rows_of(session)


def rows_of(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: sorted(session.rows(f"SELECT {', '.join(table.columns)} FROM {name}"), key=repr)  # noqa: S608
        for name, table in (PUBLISHED | PUBLISHED_VIEWS).items()
    }
