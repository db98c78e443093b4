"""The plan recommends what was found, says how sure it is, and holds customers out by lot."""

import numpy as np
import pandas as pd
import pytest

from aisle.habits import HABITS
from aisle.promotions import BUYING, DISCOUNT_USE, EFFECTS, PLAN, RESPONSES, TrialRule, tool_rows
from aisle.promotions.plan import BY_EFFECT, BY_NOTHING, BY_SHARE, TOOL, plan

RULE = TrialRule(effect_share=0.1, power=0.8, level=0.05, held_out_share=0.5)
SIZES = pd.DataFrame(
    {"lifestage": "YA", "segment": [0, 1], "segment_name": ["often", "seldom"], "customer_count": [400, 60]}
)
SPEND = pd.DataFrame({"mean": [50.0, 80.0], "deviation": [20.0, 60.0]}, index=["YA 0", "YA 1"])


def empty(columns: "dict[str, str]") -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns)).astype(columns)


def response(kind: str, group: str, share: float, width: float = 0.05) -> "dict[str, object]":
    told = {"campaign_type": kind, "grouping": "segment", "group": group, "mailing_count": 90, "customer_count": 90}
    return {**told, "responder_count": 9, "share": share, "low": share - width, "high": share + width}


def effect(kind: str, group: str, value: float, told: bool = True) -> "dict[str, object]":
    named = {"campaign_type": kind, "grouping": "segment", "group": group, "response": "spend", "told": told}
    if not told:
        return {**named, "reason": "too few responders"}
    return {**named, "effect": value, "low": value - 1, "high": value + 1, "reason": ""}


def made(responses: "list[dict[str, object]]", effects: "list[dict[str, object]]") -> pd.DataFrame:
    return plan(
        SIZES,
        buying=empty(BUYING),
        habits=empty(HABITS),
        discounts=empty(DISCOUNT_USE),
        responses=pd.DataFrame(responses, columns=list(RESPONSES)),
        effects=pd.DataFrame(effects, columns=list(EFFECTS)),
        spend=SPEND,
        rule=RULE,
        confidence=0.95,
        seed=1,
    )


def test_the_type_with_the_highest_share_is_recommended_with_its_chance() -> None:
    rows = made([response("a", "YA 0", 0.1), response("b", "YA 0", 0.5), response("a", "YA 1", 0.2)], [])
    assert list(rows.columns) == list(PLAN)
    first, second = rows.to_dict("records")
    assert (first["campaign_type"], first["basis"]) == ("b", BY_SHARE)
    assert first["chance_best"] > 0.99
    assert np.isnan(second["chance_best"])  # there is no other type
    assert first["effect"] == "cannot be told"


def test_types_that_cannot_be_told_apart_are_recommended_with_little_chance() -> None:
    first = made([response("a", "YA 0", 0.20), response("b", "YA 0", 0.21)], []).iloc[0]
    assert 0.4 < first["chance_best"] < 0.7


def test_a_sure_effect_goes_before_a_share_and_an_unsure_one_does_not() -> None:
    responses = [response("a", "YA 0", 0.1), response("b", "YA 0", 0.5)]
    sure = made(responses, [effect("a", "YA 0", 3.0)]).iloc[0]
    assert (sure["campaign_type"], sure["basis"], sure["effect"]) == ("a", BY_EFFECT, "+3.00 a week (+2.00 to +4.00)")
    assert made(responses, [effect("a", "YA 0", 0.5)]).iloc[0]["campaign_type"] == "b"
    untold = made(responses, [effect("b", "YA 0", 9.0, told=False)]).iloc[0]
    assert (untold["campaign_type"], untold["effect"]) == ("b", "cannot be told: too few responders")


def test_a_segment_that_no_campaign_reached_gets_none() -> None:
    rows = made([response("a", "YA 0", 0.1)], [])
    assert rows["campaign_type"].tolist() == ["a", ""]
    assert rows["basis"].iloc[1] == BY_NOTHING


def test_the_trial_says_whether_the_segment_is_large_enough() -> None:
    rows = made([], [])
    assert rows["trial_effect"].tolist() == [5.0, 8.0]
    assert rows["trial_possible"].iloc[0] == "no: 506 customers are needed, the segment has 400"
    assert rows["trial_received"].iloc[0] == rows["trial_held_out"].iloc[0] == 253


def test_the_same_share_of_every_segment_is_held_out_by_lot() -> None:
    labels = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(470)],
            "lifestage": "YA",
            "segment": np.r_[np.zeros(400), np.ones(60), np.full(10, -1)].astype(int),
            "segment_name": "as it was published",
        }
    )
    planned = made([response("a", "YA 0", 0.1)], [])
    rows = tool_rows(labels, planned, held_out_share=0.1, seed=1)
    assert list(rows.columns) == TOOL
    assert rows.groupby("segment")["held_out"].sum().tolist() == [40, 6]
    assert len(rows) == 460
    shuffled = tool_rows(labels.sample(frac=1, random_state=1), planned, held_out_share=0.1, seed=1)
    pd.testing.assert_frame_equal(shuffled, rows)
    other = tool_rows(labels, planned, held_out_share=0.1, seed=2)
    assert (other["held_out"] != rows["held_out"]).any()
    assert rows.loc[rows["segment"] == 1, "campaign_type"].eq("").all()


@pytest.mark.parametrize("name", ["effect_share", "power", "level", "held_out_share"])
def test_a_trial_of_an_impossible_number_is_one_sentence(name: str) -> None:
    with pytest.raises(ValueError, match=rf"stage\.trial\.{name} must be above 0 and below 1; got 1\.5"):
        TrialRule(**{**vars(RULE), name: 1.5})
