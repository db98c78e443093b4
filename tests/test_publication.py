"""What is published is checked before any database hears of it."""

import pandas as pd
import pytest

from aisle.publication import Publication, run_of


def labels(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["customer_id", "lifestage", "segment"])


def publication(rows: pd.DataFrame, **changes: object) -> Publication:
    given = {"candidates": {"YA": "k", "OA": "q"}, "evidence": {}, "names": {}, "data_digest": "d", **changes}
    return Publication(labels=rows, **given)  # type: ignore[arg-type]


PLAIN = labels(("b", "YA", 0), ("a", "YA", 1), ("c", "YA", -1), ("a", "OA", 0))


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        (labels(("a", "YA", -1)), {}, "customer in a segment; all are in none"),
        (labels(), {}, "must be integers|customer in a segment"),
        (labels(("a", "YA", 0), ("a", "YA", 1)), {}, "1 rows repeat one, such as"),
        (labels(("a", "PE", 0)), {}, r"chosen candidate; \['PE'\] have none"),
        (PLAIN.rename(columns={"segment": "cluster"}), {}, r"lack \['segment'\]"),
        (PLAIN.assign(segment=0.5), {}, "must be integers; got float64"),
        (PLAIN.assign(customer_id=["a", None, "b", "c"]), {}, "in every row"),
        (PLAIN, {"names": {("YA", 0): "x" * 513}}, "segment_name must have at most 512 characters .* one has 513"),
        (labels(("a" * 513, "YA", 0)), {}, "customer_id must have at most 512 characters"),
    ],
)
def test_a_result_that_cannot_be_published_is_refused_in_a_sentence(
    rows: pd.DataFrame, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        publication(rows, **changes)


def test_the_digest_is_of_what_is_published_and_not_of_its_order() -> None:
    first = publication(PLAIN)
    assert first.content_digest() == publication(PLAIN.iloc[::-1]).content_digest()
    assert first.content_digest() == publication(PLAIN[PLAIN["segment"] >= 0]).content_digest()
    others = [
        publication(PLAIN.assign(segment=[1, 0, -1, 0])),
        publication(PLAIN, candidates={"YA": "other", "OA": "q"}),
        publication(PLAIN, evidence={"YA": "reproducible"}),
        publication(PLAIN, names={("YA", 0): "Weekly shoppers"}),
        publication(PLAIN, data_digest="e"),
    ]
    assert len({first.content_digest(), *(other.content_digest() for other in others)}) == 6


def test_a_run_is_named_by_its_content_and_by_what_it_follows() -> None:
    assert run_of("a", None) == run_of("a", None)
    assert len({run_of("a", None), run_of("b", None), run_of("a", "b"), run_of("b", "a")}) == 4


def test_a_segment_without_a_name_is_called_by_lifestage_and_published_id() -> None:
    matched = pd.DataFrame({"lifestage": ["OA", "YA", "YA"], "label": [0, 0, 1], "segment": [3, 5, 2]})
    found = publication(PLAIN, names={("YA", 1): "Weekly shoppers"}, evidence={"YA": "separated"}).described(matched)
    assert found["segment_name"].tolist() == ["OA 3", "YA 5", "Weekly shoppers"]
    assert found["candidate_key"].tolist() == ["q", "k", "k"]
    assert found["evidence_class"].tolist() == [None, "separated", "separated"]
