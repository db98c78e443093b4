"""A partition that columns of few levels decide is named by them, and no other is."""

import numpy as np
import pandas as pd
import pytest

from aisle.evidence.categories import categories, repeated

RNG = np.random.default_rng(2)
LEVEL = RNG.integers(0, 4, 400)
CARD = RNG.integers(0, 2, 400)
VALUES = pd.DataFrame(
    {
        "spend": RNG.normal(size=400),
        **{f"level_{name}": (number == LEVEL).astype(float) for number, name in enumerate("abcd")},
        "visits": RNG.integers(1, 11, 400).astype(float),
        "days": RNG.integers(1, 12, 400).astype(float),
    }
)
GROUP = "level_a/level_b/level_c/level_d"


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (LEVEL, GROUP),
        ((LEVEL + 1) % 4, GROUP),
        (LEVEL - 1, GROUP),
        ((LEVEL == 2).astype(int), "level_c"),
        ((LEVEL > 1).astype(int), GROUP),
        (np.where(np.arange(400) < 4, 1 - (LEVEL > 1), LEVEL > 1).astype(int), GROUP),
        (np.where(np.arange(400) < 40, 1 - (LEVEL > 1), LEVEL > 1).astype(int), ""),
        ((VALUES["visits"] > 4).astype(int).to_numpy(), "visits"),
        ((VALUES["days"] > 4).astype(int).to_numpy(), ""),
        ((VALUES["spend"] > 0).astype(int).to_numpy(), ""),
        (RNG.integers(-1, 3, 400), ""),
        (np.zeros(400, dtype=int), ""),
        (np.where(LEVEL == 0, -1, 0), ""),
        (np.full(400, -1), ""),
    ],
    ids=[
        "the group",
        "numbered anew",
        "with a level as noise",
        "one level against the others",
        "levels together",
        "four customers elsewhere",
        "forty customers elsewhere",
        "ten levels, cut",
        "eleven levels, cut",
        "a continuous column, cut",
        "at random",
        "one cluster",
        "one cluster and noise",
        "all noise",
    ],
)
def test_a_partition_is_named_by_the_columns_that_decide_it(labels: np.ndarray, name: str) -> None:
    assert repeated(labels.astype(np.int64), categories(VALUES)) == name


def test_categories_together_are_a_category_while_they_have_few_levels() -> None:
    few = VALUES[["spend", "level_a", "level_b", "level_c", "level_d"]].assign(card=CARD.astype(float))
    assert repeated(LEVEL * 2 + CARD, categories(few)) == f"{GROUP}, card"
    assert f"{GROUP}, visits" not in "".join(categories(VALUES))


def test_without_a_continuous_column_every_partition_is_decided_by_the_categories() -> None:
    alone = VALUES.drop(columns=["spend", "days"])
    levels = LEVEL * 10 + VALUES["visits"].to_numpy(dtype=np.int64)
    labels = RNG.integers(0, 3, 100)[levels]
    assert repeated(labels, categories(alone)) == f"{GROUP}, visits"


def test_a_table_of_continuous_columns_has_no_category() -> None:
    assert categories(VALUES[["spend", "days"]]) == {}
