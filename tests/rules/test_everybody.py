"""The rules of all lifestages, and the segment of everybody."""

import numpy as np
import pandas as pd
import pytest

from aisle.features import EVERYBODY, FeatureTable
from aisle.rules import ASSIGNED, NO_BASKET, SegmentRules, agreement, assigned, assigned_sizes, labels_digest
from aisle.rules import segment_rules as rules_of
from aisle.tables import UNCLASSIFIED

LIFESTAGES = ("OA", "YA")


def population(size: int = 80) -> tuple[FeatureTable, pd.DataFrame]:
    """Customers of two lifestages with two round segments each, the larger first, and their labels."""
    rng = np.random.default_rng(5)
    index = pd.Index([f"c{number:03d}" for number in range(size)], name="customer_id")
    cohort = pd.Series([LIFESTAGES[number % 2] for number in range(size)], index=index, name="cohort")
    segment = (np.arange(size) % 3 == 2).astype("int64")
    values = rng.normal(size=(size, 2)) + 8 * segment[:, np.newaxis]
    features = FeatureTable(pd.DataFrame(values, index=index, columns=["spend", "visits"]), cohort)
    labels = pd.DataFrame({"customer_id": index, "lifestage": cohort.to_numpy(), "segment": segment})
    return features, labels.assign(segment_name=[f"{stage} {of}" for stage, of in zip(cohort, segment, strict=True)])


def those(features: FeatureTable, keep: int) -> FeatureTable:
    return FeatureTable(features.values.iloc[:keep], features.cohort.iloc[:keep])


def reasons(**words: str) -> "pd.Series[str]":
    return pd.Series(words, name="reason", dtype=object)


def everybody(seen: int = 40, **changes: object) -> pd.DataFrame:
    features, labels = population()
    rules = rules_of(labels.iloc[:seen], those(features, seen))
    arguments = {"features": features, "reasons": reasons(), "without": {}, "lifestages": features.cohort} | changes
    return assigned(rules, labels=labels.iloc[:seen], **arguments)  # type: ignore[arg-type]


def test_customers_whom_the_study_did_not_see_get_the_segment_they_are_like() -> None:
    rows = everybody()
    _, labels = population()
    assert (rows["segment"] == labels["segment"]).all()
    assert (rows["segment_name"] == labels["segment_name"]).all()
    assert (rows["reason"] == "").all()
    assert rows["study_segment"].isna().tolist() == [False] * 40 + [True] * 40


def test_the_rows_keep_their_contract() -> None:
    import pyarrow

    ASSIGNED.check(pyarrow.Table.from_pandas(everybody(), preserve_index=False), "here")


def test_whoever_is_in_no_segment_has_a_reason_and_everybody_else_none() -> None:
    features, _ = population()
    lifestages = features.cohort.copy()
    lifestages["c001"], lifestages["c002"], lifestages["c003"] = UNCLASSIFIED, "PE", "OF"
    fewer = FeatureTable(features.values.drop(["c004", "c005"]), features.cohort.drop(["c004", "c005"]))
    rows = everybody(
        lifestages=lifestages, features=fewer, reasons=reasons(c004="one visit"), without={"PE": "do not segment"}
    ).set_index("customer_id")
    told = rows["reason"].loc[["c001", "c002", "c003", "c004", "c005"]].tolist()
    assert told == ["no lifestage", "do not segment", "not a lifestage of the study", "one visit", NO_BASKET]
    assert (rows["segment"].eq(-1) == rows["reason"].ne("")).all()
    assert (rows["segment_name"].eq("") == rows["reason"].ne("")).all()


def test_a_rule_of_neighbours_can_find_somebody_in_no_segment() -> None:
    features, labels = population()
    rng = np.random.default_rng(2)
    angle = rng.uniform(0, 2 * np.pi, len(labels))
    far = (np.arange(len(labels)) % 4 > 0)[:, np.newaxis]
    ring = np.where(far, 9 * np.column_stack([np.cos(angle), np.sin(angle)]), 0.1 * rng.normal(size=(len(labels), 2)))
    crooked = FeatureTable(
        pd.DataFrame(ring, index=features.values.index, columns=["spend", "visits"]), features.cohort
    )
    inside = labels.assign(segment=np.where(far[:, 0], 0, -1), segment_name=np.where(far[:, 0], "ring", ""))
    rows = assigned(rules_of(inside, crooked), features.cohort, crooked, reasons(), without={}, labels=inside)
    assert set(rows.loc[~far[:, 0], "reason"]) == {"most like customers in no segment"}
    assert set(rows.loc[far[:, 0], "segment"]) == {0}


@pytest.mark.parametrize(("more", "rows_each"), [([], 1), (list(LIFESTAGES), 2)])
def test_pooled_segments_are_given_beside_those_of_the_own_lifestage(more: list[str], rows_each: int) -> None:
    features, labels = population()
    pooled = labels.assign(lifestage=EVERYBODY, segment_name="pooled")
    both = pd.concat([pooled, labels[labels["lifestage"].isin(more)]], ignore_index=True)
    rules = rules_of(both, features)
    rows = assigned(rules, features.cohort, features, reasons(), without={}, labels=both)
    assert rows.groupby("customer_id").size().unique().tolist() == [rows_each]
    assert set(rows.loc[rows["lifestage"] == EVERYBODY, "segment_name"]) == {"pooled"}
    assert (rows["segment"] == rows["study_segment"]).all()


def test_where_nothing_is_chosen_everybody_has_a_row_and_no_segment() -> None:
    features, labels = population()
    nothing = SegmentRules(("spend", "visits"), {})
    without = dict.fromkeys(LIFESTAGES, "do not segment")
    rows = assigned(nothing, features.cohort, features, reasons(), without=without, labels=labels.iloc[:0])
    assert len(rows) == len(features.cohort)
    assert set(rows["segment"]) == {-1}
    assert set(rows["reason"]) == {"do not segment"}


def test_sizes_count_everybody_once() -> None:
    rows = everybody(reasons=reasons())
    sizes = assigned_sizes(rows)
    assert sizes["customer_count"].sum() == len(rows)
    assert sizes["study_customer_count"].sum() == 40
    assert sizes.groupby("lifestage")["customer_share"].sum().round(12).tolist() == [1.0, 1.0]


def test_agreement_stands_beside_what_the_largest_segment_alone_would_reach() -> None:
    features, labels = population()
    told = agreement(rules_of(labels, features).rules["YA"])
    own = labels[labels["lifestage"] == "YA"]["segment"]
    assert (told["rule"], told["agreement"], told["adjusted_rand"]) == ("centroids", 1.0, 1.0)
    assert told["largest_share"] == pytest.approx((own == 0).mean())
    assert told["segments"] == {"0": 1.0, "1": 1.0}
    shuffled = labels.assign(segment=np.random.default_rng(1).permutation(labels["segment"]))
    poor = agreement(rules_of(shuffled, features).rules["YA"])
    assert abs(poor["adjusted_rand"]) < 0.2
    assert poor["agreement"] == max(poor["agreement_by_rule"].values())


def test_a_rule_asks_for_its_features_by_name() -> None:
    features, labels = population()
    rules = rules_of(labels, features)
    customers = features.values.assign(lifestage=features.cohort)
    assert (rules.predict(customers[["visits", "lifestage", "spend"]]) == labels["segment"]).all()
    with pytest.raises(ValueError, match=r"features of the rule; \['visits'\] are missing\.$"):
        rules.predict(customers.drop(columns="visits"))


def test_labels_of_other_customers_are_one_sentence() -> None:
    features, labels = population()
    with pytest.raises(ValueError, match=r"^OA: labels and features must be of the same customers; 1 are in one"):
        rules_of(labels.iloc[1:], features)


def test_a_lifestage_with_nobody_in_a_segment_is_named() -> None:
    features, labels = population()
    with pytest.raises(ValueError, match=r"^YA: A rule needs a customer in a segment; all 40 are in none\.$"):
        rules_of(labels.assign(segment=labels["segment"].where(labels["lifestage"] == "OA", -1)), features)


def test_the_digest_of_labels_depends_on_ids_and_names_and_not_on_the_order() -> None:
    _, labels = population()
    assert labels_digest(labels) == labels_digest(labels.sample(frac=1, random_state=1))
    assert labels_digest(labels) != labels_digest(labels.assign(segment=1 - labels["segment"]))
    assert labels_digest(labels) != labels_digest(labels.assign(segment_name="other"))
