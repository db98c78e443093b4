"""Names of segments: by rule, unique, the same for the same profiles."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.naming import ALONE, NO_CONTRAST, OUTSIDE, WORDS, followed_names, segment_names, words_of


def profile(means: dict[str, list[float]], lifestage: str = "YA") -> pd.DataFrame:
    """Standardised means by feature, a number per segment."""
    count = len(next(iter(means.values())))
    rows = [(lifestage, segment, name, means[name][segment]) for segment in range(count) for name in means]
    return pd.DataFrame(rows, columns=["lifestage", "segment", "feature", "standardised_mean"])


def size(count: int, lifestage: str = "YA", noise: bool = False) -> pd.DataFrame:
    segments = [-1] * noise + list(range(count))
    return pd.DataFrame({"lifestage": lifestage, "segment": segments, "customer_share": 1 / len(segments)})


def names(means: dict[str, list[float]], **more: object) -> list[str]:
    count = len(next(iter(means.values())))
    return segment_names(profile(means), size(count), **more)["segment_name"].tolist()  # type: ignore[arg-type]


def test_a_name_joins_the_strongest_contrasts_of_two_topics() -> None:
    means = {"item_count_mean": [1.4, -1.0], "spend_mean": [1.3, -0.9], "gap_days_mean": [0.8, -0.6]}
    assert names(means) == ["large shops, seldom", "small shops, often"]


def test_weak_contrasts_give_no_word() -> None:
    assert names({"item_count_mean": [1.4, -0.1], "gap_days_mean": [0.2, -0.2]}) == ["large shops", NO_CONTRAST]


def test_only_features_that_differ_give_words_where_they_are_known() -> None:
    means = {"item_count_mean": [1.4, -1.0], "gap_days_mean": [0.8, -0.6]}
    assert names(means, differing={"YA": {"gap_days_mean"}}) == ["seldom", "often"]
    assert names(means, differing={"YA": set()}) == [f"{NO_CONTRAST} (1)", f"{NO_CONTRAST} (2)"]
    assert names(means, differing={"OA": set()}) == ["large shops, seldom", "small shops, often"]


def test_segments_of_the_same_words_are_told_apart_by_what_they_differ_on_most() -> None:
    means = {
        "item_count_mean": [1.0, 1.0, -2.0],
        "basket_count": [0.5, 0.5, -1.0],
        "dominant_mission_fresh_share": [0.3, -0.2, 0.0],
        "quantity_std_mean": [0.2, 0.1, 0.0],
    }
    assert names(means) == [
        "large shops, often, more fresh food",
        "large shops, often, less fresh food",
        "small shops, seldom",
    ]


def test_segments_that_nothing_tells_apart_are_numbered() -> None:
    assert names({"item_count_mean": [1.0, 1.0, -2.0]}) == ["large shops (1)", "large shops (2)", "small shops"]


def test_those_in_no_segment_and_a_lone_segment_have_names_of_their_own() -> None:
    named = segment_names(profile({"item_count_mean": [0.0]}), size(1, noise=True))
    assert named["segment_name"].tolist() == [OUTSIDE, ALONE]
    assert named["named_from"].tolist() == ["", ""]


def test_an_unknown_feature_and_a_product_group_give_their_own_name_in_any_script() -> None:
    assert names({"собаки_на_дом": [1.0, -1.0]}) == ["high собаки на дом", "low собаки на дом"]
    assert names({"mix_鲜肉": [1.0, -1.0]}) == ["more 鲜肉", "less 鲜肉"]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 6))
def test_names_are_unique_and_do_not_depend_on_the_order_of_rows(seed: int, k: int, features: int) -> None:
    rng = np.random.default_rng(seed)
    chosen = [*list(WORDS)[: features - 1], "another"]
    means = {name: (rng.normal(size=k) * rng.choice([0.0, 0.5, 2.0])).round(1).tolist() for name in chosen}
    table = profile(means)
    named = segment_names(table, size(k))
    assert named["segment_name"].is_unique
    by_segment = table.sort_values("segment", ascending=False, kind="stable")
    pd.testing.assert_frame_equal(segment_names(by_segment, size(k)), named)


def test_followed_segments_keep_their_names_and_others_do_not_take_them() -> None:
    named = segment_names(profile({"item_count_mean": [1.0, -1.0]}), size(2))
    kept = followed_names(named, {("YA", 1): "large shops", ("OA", 0): "small shops"})
    assert kept["segment_name"].tolist() == ["large shops (2)", "large shops"]
    assert kept["named_from"].tolist() == ["strongest contrasts", "earlier segmentation"]


@pytest.mark.parametrize("feature", sorted(WORDS))
def test_high_and_low_words_differ(feature: str) -> None:
    words = words_of(feature)
    assert len({words.high, words.low}) == 2
    assert words.topic
