"""Stores: planted differences are found, ratios are those that were planted, and what cannot be said is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from aisle.features import FeatureTable
from aisle.features.stores import UNKNOWN_FORMAT
from aisle.figures import format_heatmap, rhythm_dots
from aisle.stores import EVERY, RHYTHM, agreement, formats_compared, in_short, rhythm, sentences

FORMATS = ("LS", "MS", "SS")


def stores(count: int = 90, *, shift: float = 2.0, formats: tuple[str, ...] = FORMATS) -> FeatureTable:
    """Three features, of which the first is ``shift`` standard deviations higher from format to format."""
    rng = np.random.default_rng(1)
    index = pd.Index([f"s{number:03d}" for number in range(count)], name="customer_id")
    cohort = pd.Series([formats[number % len(formats)] for number in range(count)], index=index, name="cohort")
    values = pd.DataFrame(rng.normal(10, 1, (count, 3)), index=index, columns=["spend_mean", "hour_mean", "items"])
    values["spend_mean"] += shift * cohort.map({name: place for place, name in enumerate(formats)})
    return FeatureTable(values, cohort)


def nobody(table: FeatureTable) -> "pd.Series[int]":
    return pd.Series(0, index=table.values.index)


def test_a_planted_difference_is_found_and_no_other() -> None:
    found = formats_compared(table := stores(), nobody(table), rate=0.05, permutations=199, seed=1)
    by_feature = found.differences.set_index("feature")
    assert by_feature["differs"].to_dict() == {"spend_mean": True, "hour_mean": False, "items": False}
    assert by_feature.loc["spend_mean", ["highest", "lowest"]].tolist() == ["SS", "LS"]
    between = table.values["spend_mean"].groupby(table.cohort).transform("mean")
    expected = between.var(ddof=0) / table.values["spend_mean"].var(ddof=0)
    assert by_feature.loc["spend_mean", "eta_squared"] == pytest.approx(expected)
    assert (by_feature["q_value"] >= by_feature["p_value"]).all()
    assert found.sentence.startswith("Store formats differ: format explains")


def test_a_formats_profile_has_its_means_beside_those_of_all_stores() -> None:
    found = formats_compared(table := stores(), nobody(table), rate=0.05, permutations=19, seed=1).profiles
    row = found[(found["format"] == "MS") & (found["feature"] == "spend_mean")].iloc[0]
    own = table.select("MS").values["spend_mean"]
    assert row["store_count"] == 30
    assert row["mean"] == pytest.approx(own.mean())
    assert row["median"] == pytest.approx(own.median())
    assert row["index"] == pytest.approx(100 * own.mean() / table.values["spend_mean"].mean())


def test_stores_dealt_out_at_random_are_much_alike() -> None:
    found = formats_compared(table := stores(300, shift=0.0), nobody(table), rate=0.05, permutations=199, seed=1)
    assert found.sentence.startswith("Store formats are much alike")
    assert not found.differences["differs"].any()


@pytest.mark.parametrize(("formats", "why"), [(("LS",), "only LS is known"), ((UNKNOWN_FORMAT,), "knows none")])
def test_fewer_than_two_formats_are_not_compared(formats: tuple[str, ...], why: str) -> None:
    found = formats_compared(table := stores(formats=formats), nobody(table), rate=0.05, permutations=19, seed=1)
    assert found.explained is None
    assert found.differences.empty
    assert why in found.sentence
    assert format_heatmap(found.profiles, found.differences)


def test_stores_of_unknown_format_do_not_count() -> None:
    table = stores(formats=(*FORMATS, UNKNOWN_FORMAT))
    known = table.cohort != UNKNOWN_FORMAT
    alone = FeatureTable(table.values[known], table.cohort[known])
    one, two = (formats_compared(each, nobody(each), rate=0.05, permutations=19, seed=1) for each in (table, alone))
    pd.testing.assert_frame_equal(one.differences, two.differences)
    pd.testing.assert_frame_equal(one.profiles, two.profiles)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_false_discovery_rate_that_is_no_share_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"stage\.false_discovery_rate must be above 0 and below 1"):
        formats_compared(table := stores(), nobody(table), rate=rate, permutations=19, seed=1)


def test_segments_that_are_the_formats_are_said_to_be() -> None:
    table = stores()
    segments = table.cohort.map({"LS": 2, "MS": 0, "SS": 1})
    found = agreement(segments, table.cohort, permutations=99, seed=1)
    assert (found.rand, found.cramers_v) == (1.0, pytest.approx(1.0))
    assert (found.p_value, found.guessed_share, found.guessed_without) == (0.01, 1.0, pytest.approx(1 / 3))
    assert found.sentence.startswith("Segments of stores are the formats: ")
    assert found.table["store_count"].sum() == 90
    assert found.table.loc[found.table["store_count"] > 0, "share_of_segment"].eq(1.0).all()


def test_segments_that_go_with_formats_and_those_that_do_not_are_told_apart() -> None:
    table, rng = stores(300), np.random.default_rng(2)
    random = pd.Series(rng.integers(0, 2, 300), index=table.values.index)
    leaning = random.where(rng.random(300) < 0.5, (table.cohort == "LS").astype(int))
    found = agreement(random, table.cohort, permutations=199, seed=1)
    assert found.sentence.startswith("Segments of stores have nothing to do with the formats")
    assert found.rand == pytest.approx(adjusted_rand_score(random, table.cohort))
    assert (
        "are not the formats, but go with them" in agreement(leaning, table.cohort, permutations=199, seed=1).sentence
    )


@pytest.mark.parametrize(
    ("formats", "numbers", "reason"),
    [
        (("LS",), lambda place: place % 2, "all stores are of one format, LS"),
        ((UNKNOWN_FORMAT,), lambda place: place % 2, "the format of no store is known"),
        (("LS", "MS"), lambda place: place * 0, "there are fewer than two segments"),
    ],
)
def test_why_segments_cannot_be_held_against_formats_is_said(
    formats: tuple[str, ...], numbers: Callable[[Any], Any], reason: str
) -> None:
    table = stores(formats=formats)
    segments = pd.Series(numbers(np.arange(90)), index=table.values.index)
    found = agreement(segments, table.cohort, permutations=19, seed=1)
    assert found.rand is None
    assert found.sentence == f"Segments of stores cannot be held against formats: {reason}."


def test_formats_that_are_known_in_one_segment_only_are_said_so() -> None:
    table = stores(formats=("LS", "MS", UNKNOWN_FORMAT))
    segments = (table.cohort == UNKNOWN_FORMAT).astype("int64")
    found = agreement(segments, table.cohort, permutations=19, seed=1)
    assert found.sentence.endswith("formats are known in one segment only.")


def test_stores_in_no_segment_are_left_out_of_the_agreement() -> None:
    table = stores()
    segments = table.cohort.map({"LS": 0, "MS": 1, "SS": -1})
    assert agreement(segments, table.cohort, permutations=19, seed=1).table["store_count"].sum() == 60


def baskets(weekend: int, weekday: int, *, store_count: int = 6) -> pd.DataFrame:
    """Of every store so many Full Shops on the weekend's Saturday and each weekday, and one Small Shop on every day."""
    saturday = pd.Timestamp("2024-03-02 10:00")
    rows = []
    for number in range(store_count):
        for day in range(7):
            count = 2 * weekend if day == 0 else 0 if day == 1 else weekday
            for kind, repeat in (("Full Shop", count), ("Small Shop", 1)):
                rows += [(f"s{number}", saturday + pd.Timedelta(days=day), kind)] * repeat
    frame = pd.DataFrame(rows, columns=["store_id", "shopped_at", "basket_type"])
    formats = frame["store_id"].map(lambda name: "LS" if name < "s3" else "MS")
    kinds = {"basket_size": "L", "dominant_mission": None}
    return frame.assign(store_format=formats, cents=np.where(frame["basket_type"] == "Full Shop", 5000, 500), **kinds)


def ratios(found: pd.DataFrame, contrast: str, format_: str = EVERY) -> pd.DataFrame:
    own = found[(found["contrast"] == contrast) & (found["format"] == format_)]
    return own.set_index("value")


def test_ratios_are_those_that_were_planted_for_as_much_time() -> None:
    found = rhythm(baskets(3, 1), working=[9, 17], opening=[8, 22], draws=50, seed=1)
    assert list(found.columns) == list(RHYTHM)
    weekend = ratios(found, "weekend")
    assert weekend.loc["Full Shop", "ratio"] == pytest.approx(3.0)
    assert weekend.loc["Small Shop", "ratio"] == pytest.approx(1.0)
    assert weekend.loc[EVERY, "ratio"] == pytest.approx((3 + 1) / 2)
    assert weekend.loc["Full Shop", "relative"] == pytest.approx(1.5)
    assert weekend.loc["Full Shop", "spend_ratio"] == pytest.approx(1.0)
    assert weekend.loc[EVERY, "spend_ratio"] == pytest.approx(((3 * 50 + 5) / 4) / ((50 + 5) / 2))


def test_in_short_every_kind_has_one_row_with_both_contrasts_of_all_stores() -> None:
    found = rhythm(baskets(3, 1), working=[9, 17], opening=[8, 22], draws=20, seed=1)
    short = in_short(found).set_index("value")
    assert len(short) == 11
    assert short.loc["Full Shop", "weekend_ratio"] == ratios(found, "weekend").loc["Full Shop", "ratio"]
    assert short.loc["Full Shop", "basket_count"] == ratios(found, "weekend").loc["Full Shop", "basket_count"]
    assert short["working_ratio"].isna().all()


def test_in_words_a_kind_that_is_more_of_a_weekends_is_named_and_a_side_without_baskets_is_told() -> None:
    weekend, working = sentences(rhythm(baskets(3, 1), working=[9, 17], opening=[8, 22], draws=20, seed=1))
    assert weekend.startswith("On a day of the weekend 2.00 (2.00 to 2.00) baskets are bought for one on a weekday; ")
    assert "more of Full Shop (3.00)" in weekend
    assert "fewer of Small Shop (1.00)" in weekend
    assert working == "Nothing can be said of working hours: all baskets are on one side."


def test_stores_that_are_all_alike_leave_no_doubt_and_stores_that_differ_do() -> None:
    alike = ratios(rhythm(baskets(3, 1), working=[9, 17], opening=[8, 22], draws=50, seed=1), "weekend")
    assert alike.loc["Full Shop", ["ratio_low", "ratio_high"]].tolist() == pytest.approx([3.0, 3.0])
    few = baskets(1, 1).assign(store_id=lambda frame: "t" + frame["store_id"], store_format="SS")
    mixed = pd.concat([baskets(3, 1), few], ignore_index=True)
    differ = ratios(rhythm(mixed, working=[9, 17], opening=[8, 22], draws=200, seed=1), "weekend").loc["Full Shop"]
    assert differ["ratio"] == pytest.approx(2.0)
    assert 1.0 <= differ["ratio_low"] < 2.0 < differ["ratio_high"] <= 3.0
    assert differ["store_count"] == 12


def test_hours_are_compared_on_weekdays_by_the_hour() -> None:
    frame = baskets(3, 2)
    late = frame.assign(shopped_at=frame["shopped_at"] + pd.Timedelta(hours=10))
    night = frame.assign(shopped_at=frame["shopped_at"] + pd.Timedelta(hours=13))
    found = rhythm(pd.concat([frame, late, night]), working=[9, 17], opening=[8, 22], draws=20, seed=1)
    working = ratios(found, "working hours")
    assert working.loc["Full Shop", "ratio"] == pytest.approx((10 / 8) / (10 / 6))
    assert working.loc["Full Shop", "basket_count"] == 6 * 5 * 2 * 2
    assert ratios(found, "weekend").loc["Full Shop", "basket_count"] == 6 * (6 + 10) * 3


def test_a_kind_that_is_on_one_side_only_has_no_ratio() -> None:
    found = ratios(rhythm(baskets(3, 0), working=[9, 17], opening=[8, 22], draws=20, seed=1), "weekend")
    assert found.loc["Full Shop", ["ratio", "ratio_low", "relative", "spend_ratio"]].isna().all()
    assert found.loc["Mixed", "basket_count"] == 0
    assert np.isnan(found.loc["Mixed", "ratio"])


def test_formats_are_told_beside_all_stores_and_unknown_ones_are_not() -> None:
    frame = baskets(2, 1)
    unknown = frame.assign(store_format=frame["store_format"].where(frame["store_format"] == "LS", None))
    found = rhythm(unknown, working=[9, 17], opening=[8, 22], draws=20, seed=1)
    assert set(found["format"]) == {EVERY, "LS"}
    assert ratios(found, "weekend", "LS").loc[EVERY, "store_count"] == 3
    assert rhythm_dots(found)


@pytest.mark.parametrize(
    ("working", "opening", "message"),
    [
        ([17, 9], [8, 22], r"stage\.working must be \[from, before\] with hours of 0 to 24; got \[17, 9\]"),
        ([9], [8, 22], r"stage\.working must be \[from, before\]"),
        ([9, 17], [8, 25], r"stage\.opening must be \[from, before\]"),
        ([7, 17], [8, 22], r"stage\.working must be in stage\.opening and leave other hours"),
        ([8, 22], [8, 22], r"leave other hours; got \[8, 22\] in \[8, 22\]"),
    ],
)
def test_hours_that_make_no_sense_are_refused(working: list[int], opening: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rhythm(baskets(1, 1), working=working, opening=opening, draws=5, seed=1)
