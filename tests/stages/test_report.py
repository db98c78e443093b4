"""The report: everything that was found, nothing that should not be shown, and never a broken page."""

import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import hydra
import pandas as pd
import pytest
from tests.report.artifacts import DIGEST, artifacts, report

from aisle.report.html import DASH, Picture
from aisle.report.page import PARTS
from aisle.storage import read_json, write_csv, write_frame, write_json

EMPTY_ELEMENTS = {"img", "meta", "wbr"}


class Reader(HTMLParser):
    """Checks that every element is closed, and keeps the attributes and the visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def told(html: str) -> str:
    """The visible text, one space between words."""
    return " ".join("".join(f"{part} " if part.endswith((".", "\n")) else part for part in read(html).text).split())


def section(html: str, identity: str) -> str:
    found = re.search(
        rf'<section id="{identity}".*?</section>|<section [^>]*id="{identity}".*?</section>', html, re.DOTALL
    )
    assert found, identity
    return told(found[0].replace("</td>", " </td>").replace("</th>", " </th>"))


def test_the_answer_is_five_sentences_and_one_picture(tmp_path: Path) -> None:
    html = report(artifacts(tmp_path))
    answer = section(html, "answer")
    assert "No lifestage has distinct types of customers: young adults have reproducible segments" in answer
    assert "pensioners have constructive segments" in answer
    assert "kmeans with 2 segments for pensioners and kmeans with 3 segments for young adults" in answer
    assert "is above all item count mean and basket size L share." in answer
    assert "correlates 0.50 (YA 0) to 0.90 (PE 1)" in answer
    assert "of 0.51 (pensioners) to 0.81 (young adults)" in answer
    first = html.split("</section>")[0]
    assert first.count("<p>") + first.count('class="lead"') == 5
    assert first.count("<figure") == 1
    assert 'aria-label="Young adults (YA), share of customers: segment 0 55%; segment 1 27%; segment 2 18%"' in first


def test_every_section_tells_what_its_stage_found(tmp_path: Path) -> None:
    html = report(artifacts(tmp_path, names=("small shops", "large shops", "rare")))
    verdicts = section(html, "verdicts")
    assert "prediction strength 0.85 ≥ 0.8 ✓ met" in verdicts
    assert "valley p 1.00 &lt; 0.05 ✗ not met".replace("&lt;", "<") in verdicts
    assert "a gap of less than 4.25 standard deviations would have been missed" in verdicts
    assert "ward constructive 0.11 Its ranking score is lower." in verdicts
    assert "Do not segment OF: nothing comes back." in verdicts
    segments = section(html, "segments")
    assert "1 large shops 30 27% 27%" in segments
    assert "item count mean 1,050 1,000 90 1,100 91 1,200 92" in segments
    assert "bakery 25% 25% 100 30% 120 35% 140" in segments
    assert "Monday 25% 25% 100 30% 120 35% 140" in segments
    assert "0.81 70% 110" in section(html, "replication")
    assert "young adults" not in section(html, "lifestages")
    assert "PE 1 YA 0 0.90" in section(html, "lifestages")
    stores = section(html, "stores")
    assert "Question. Which kinds?" in stores
    assert "40 stores, 2 features each; by format: LS 23, MS 17." in stores
    assert "Store formats differ: all of it." in stores
    assert "Segments of stores constructive" in stores
    assert "1 MS 12 80% 71%" in stores
    assert "spend mean 14 9 hour mean 14.1 14.2" in stores
    assert "spend mean 0.31 yes 13.6 10.2" in stores
    assert "type Full Shop 900 1.25 (1.10 to 1.40) 1.25 (1.25 to 1.25)" in stores
    assert f"dominant mission Mixed 900 {DASH}" in stores
    assert "kmeans is above ward." in section(html, "methods")
    assert "Young adults (YA) kmeans 0.23 ward Its ranking score is lower. kmeans-key" in section(html, "methods")
    assert "valley p < 0.05" in section(html, "evidence")
    assert "Young adults (YA) 1.00 ✗ 0.030 ✓" in section(html, "evidence")
    assert "Young adults (YA): with so many customers a gap of less than 4.25" in section(html, "evidence")
    assert "Question. Which method is best?" in section(html, "studies")
    assert "12,345 baskets of 150 customers, 2024-01-01 to 2024-03-31" in section(html, "data")
    assert "The quantity is below 1. dropped 7" in section(html, "data")
    assert DIGEST in section(html, "reproduce")
    assert "python -m aisle stage=select study=grid" in section(html, "reproduce")


def test_lifestages_are_told_with_kinds_intervals_matches_variance_and_the_rules_of_others(tmp_path: Path) -> None:
    lifestages = section(report(artifacts(tmp_path)), "lifestages")
    assert "1 YA 0 so called; YA 1 so called" in lifestages
    assert "PE 1 YA 0 0.90 0.25 to 0.75" in lifestages
    assert "PE 0 YA 2 0.50 0.25 to 0.75" in lifestages
    assert "item count mean 3.4% 0.5% 41.0% 0.001" in lifestages
    assert f"Young adults (YA) 0.62 {DASH} 0.93" in lifestages
    assert "removes exactly the differences between lifestages that are asked about" in lifestages
    assert "mirror each other by construction" in lifestages


def test_what_to_do_follows_from_the_classes_and_ends_with_the_limits(tmp_path: Path) -> None:
    advice = section(report(artifacts(tmp_path)), "next")
    assert "Young adults: use the segments for targeting and reporting" in advice
    assert "Pensioners: use the segments for targeting only" in advice
    assert "The 5 segments are 2 kinds" in advice
    assert "The source does not know store format." in advice


def test_a_study_tells_its_hypothesis_where_it_has_one(tmp_path: Path) -> None:
    artifacts(tmp_path)
    path = tmp_path / "artifacts" / "grid" / "candidates.json"
    assert "Hypothesis." not in report(tmp_path)
    write_json({**read_json(path), "hypothesis": "There are two kinds."}, path)
    assert "Hypothesis. There are two kinds." in section(report(tmp_path), "studies")


def test_the_answer_on_lifestages_is_told_first_where_the_comparison_has_one(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "compare" / "summary.json"
    told = {"word": "behave alike", "effect": 0.0123, "cut": 0.6, "sentence": "Lifestages behave alike: all of it."}
    write_json({**read_json(path), "answer": told}, path)
    html = report(tmp_path)
    assert "Lifestages behave alike: to which one a customer belongs explains 1.2%" in section(html, "answer")
    assert "Lifestages behave alike: all of it." in section(html, "lifestages")


def test_the_page_needs_no_other_file_and_no_network(tmp_path: Path) -> None:
    elements = read(report(artifacts(tmp_path))).elements
    addresses = [value for _, attrs in elements for name, value in attrs.items() if name in ("src", "href")]
    assert addresses
    assert all(address and address.startswith(("data:image/", "#")) for address in addresses)
    assert {tag for tag, _ in elements} & {"link", "iframe", "object"} == set()
    identities = [attrs["id"] for _, attrs in elements if "id" in attrs]
    assert len(identities) == len(set(identities))
    assert {address[1:] for address in addresses if address and address.startswith("#")} <= set(identities)


def test_every_picture_has_words_and_a_size(tmp_path: Path) -> None:
    pictures = [attrs for tag, attrs in read(report(artifacts(tmp_path))).elements if tag == "img"]
    assert len(pictures) == 6 + 2 * (4 + 4)
    assert all(attrs["alt"] and attrs["width"] and attrs["height"] for attrs in pictures)


def test_equal_artifacts_give_the_same_bytes(tmp_path: Path) -> None:
    first = report(artifacts(tmp_path / "one"))
    assert report(artifacts(tmp_path / "two")) == first
    assert str(tmp_path) not in first


STAGES = {
    "select": ("evidence", "stage=select has not been run"),
    "segments": ("segments", "stage=segments has not been run"),
    "compare": ("lifestages", "stage=compare has not been run"),
    "differences": ("replication", "stage=differences has not been run"),
    "stores": ("stores", "stage=stores has not been run"),
    "extract": ("data", "stage=extract has not been run"),
    "grid": ("studies", "grid: left out, the study has not been run"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_what_was_not_run_is_left_out_with_a_sentence(tmp_path: Path, stage: str) -> None:
    artifacts(tmp_path)
    shutil.rmtree(tmp_path / "artifacts" / stage)
    identity, sentence = STAGES[stage]
    assert sentence in section(report(tmp_path), identity)


def test_without_anything_there_is_still_a_page(tmp_path: Path) -> None:
    html = report(tmp_path)
    assert "No verdict has been reached: stage=select has not been run" in section(html, "answer")
    assert html.count("has not been run") == len(PARTS) - 1, "all but how to reproduce it"


def test_a_study_without_segments_is_told(tmp_path: Path) -> None:
    html = report(artifacts(tmp_path, sizes={}))
    assert "No lifestage is segmented; the verdicts say why." in section(html, "segments")
    assert "nothing can come back" in section(html, "replication")


def test_a_comparison_without_its_tables_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    folder = artifacts(tmp_path) / "artifacts" / "compare"
    for name in ("correlations.parquet", "matches.csv", "agreement.csv", "variance.csv"):
        (folder / name).unlink()
    lifestages = section(report(tmp_path), "lifestages")
    assert f"PE 1 YA 0 0.90 {DASH}" in lifestages
    assert "explained by lifestage" not in lifestages


def test_a_lifestage_of_one_segment_and_a_segment_of_one_customer_are_told(tmp_path: Path) -> None:
    segments = section(report(artifacts(tmp_path, sizes={"YA": (60,), "PE": (70, 30, 1)})), "segments")
    assert "0 60 100% 100%" in segments
    assert "2 not shown" in segments
    assert "1 not shown" in segments


def test_a_feature_that_nobody_of_a_lifestage_has_is_a_dash(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "segments" / "profiles.parquet"
    profile = pd.read_parquet(path)
    nobody = (profile["lifestage"] == "PE") & (profile["feature"] == "item_count_mean")
    numbers = ["mean", "median", "lifestage_mean", "index", "standardised_mean"]
    profile.loc[nobody, numbers] = float("nan")
    write_frame(profile, path)
    segments = section(report(tmp_path), "segments")
    pensioners = segments.split("Pensioners (PE): all other features")[1].split("Young adults")[0]
    assert f"item count mean {DASH} {DASH} {DASH}" in pensioners
    assert "nan" not in segments


def test_a_feature_that_one_segment_lacks_is_a_dash(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "segments" / "profiles.parquet"
    profile = pd.read_parquet(path)
    lacking = (profile["lifestage"] == "PE") & (profile["segment"] == 1) & (profile["feature"] == "item_count_mean")
    write_frame(profile[~lacking], path)
    assert f"item count mean 1,050 1,000 90 {DASH}" in section(report(tmp_path), "segments")


def test_an_empty_study_is_told(tmp_path: Path) -> None:
    artifacts(tmp_path, sizes={})
    root = tmp_path / "artifacts"
    verdicts = read_json(root / "select" / "verdicts.json")
    write_json({**verdicts, "verdicts": {}, "overall": []}, root / "select" / "verdicts.json")
    write_json({**read_json(root / "grid" / "candidates.json"), "candidates": []}, root / "grid" / "candidates.json")
    write_frame(pd.DataFrame(), root / "grid" / "leaderboard.parquet")
    html = report(tmp_path)
    assert "No verdict has been reached" in section(html, "answer")
    assert "the study has no candidates" in section(html, "verdicts")
    assert "Candidates: none." in section(html, "studies")
    assert "no evidence has been computed" in section(html, "evidence")


def test_a_lifestage_alone_is_compared_with_nobody(tmp_path: Path) -> None:
    html = report(artifacts(tmp_path, sizes={"YA": (60, 30)}))
    assert "No two lifestages have segments that can be shown beside each other." in section(html, "lifestages")


def test_a_segment_below_the_floor_is_not_shown_nor_what_would_tell_of_it(tmp_path: Path) -> None:
    few = artifacts(tmp_path, sizes={"YA": (60, 31, 3), "PE": (25, 15)}, names=("many", "some", "secret"))
    html = report(few)
    segments = section(html, "segments")
    young = segments.split("Young adults (YA)", 1)[1]
    assert "2 not shown" in young
    assert "1 not shown" in young, "the others would tell what the hidden one is"
    assert "0 many 60" in young
    assert "secret" not in html
    assert "some" not in young.replace("some of", "")
    assert "1,200" not in young
    assert "A segment with fewer than 10 customers is not shown" in young
    assert "0 many 25" in segments
    assert "1 some 15" in segments
    assert "The smallest segment holds 3 customers." not in html
    assert "YA 2" not in section(html, "lifestages")
    assert "Young adults (YA): left out" in section(html, "replication")
    assert html.count('<img alt="Young adults') + html.count("Young adults (YA): Held-out") == 0
    assert "The heatmap is left out" in html


def test_what_few_customers_bought_is_not_shown(tmp_path: Path) -> None:
    segments = section(report(artifacts(tmp_path)), "segments")
    assert f"caviar 25% {DASH} {DASH} {DASH}" in segments


def test_the_floor_is_what_the_configuration_says(tmp_path: Path) -> None:
    few = artifacts(tmp_path, sizes={"YA": (60, 31, 3)})
    assert "not shown" not in section(report(few, floor=3), "segments")
    with pytest.raises(ValueError, match=r"stage.privacy_floor must be a number of customers, at least 1; got 0"):
        report(few, floor=0)


STRANGE = ("<script>alert(1)</script>", 'große "Körbe" & Ähnliches', "まとめ買い")


def test_names_may_be_any_text(tmp_path: Path) -> None:
    html = report(artifacts(tmp_path, names=STRANGE))
    assert html.count("<script>") == 1
    for name in STRANGE:
        assert name in section(html, "segments")


def test_lifestages_and_features_may_be_any_text(tmp_path: Path) -> None:
    artifacts(tmp_path, sizes={"<b>": (60, 30), "学生": (25, 15)})
    html = report(tmp_path)
    assert "<b>" not in html
    assert 'id="segments-&lt;b&gt;"' in html
    assert "学生" in section(html, "segments")


def test_a_lifestage_called_none_or_na_stays_one(tmp_path: Path) -> None:
    assert "NA: who is in which segment" in section(report(artifacts(tmp_path, sizes={"NA": (60, 30)})), "segments")


def test_verdicts_on_other_data_than_the_extract_are_refused(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "extract" / "summary.json"
    write_json({**read_json(path), "data_digest": "e" * 64}, path)
    with pytest.raises(ValueError, match="are of other data than the extract; run dvc repro"):
        report(tmp_path)


def test_segments_that_were_not_chosen_are_refused(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "segments" / "sizes.csv"
    write_csv(pd.read_csv(path).query("segment != 1"), path)
    with pytest.raises(ValueError, match="run stage=segments again"):
        report(tmp_path)


def test_differences_of_another_choice_are_refused(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "differences" / "replication.parquet"
    write_frame(pd.read_parquet(path).assign(clusterer="ward"), path)
    with pytest.raises(ValueError, match="run stage=differences again"):
        report(tmp_path)


BROKEN = {
    "select/verdicts.json": "must hold the verdicts that stage=select writes",
    "segments/sizes.csv": "lacks .*'customer_count'",
    "segments/profiles.parquet": "must be a Parquet file",
    "compare/matches.csv": "lacks .*'correlation'",
    "compare/summary.json": r"lacks \['nearest', 'notes', 'without_segments'\]",
    "stores/summary.json": "lacks .*'store_count'",
    "stores/rhythm.parquet": "must be a Parquet file",
    "extract/summary.json": "lacks .*'basket_count'",
    "grid/candidates.json": "must be a study's record of candidates",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_something_else_is_one_sentence(tmp_path: Path, name: str) -> None:
    (artifacts(tmp_path) / "artifacts" / name).write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=BROKEN[name]):
        report(tmp_path)


def test_a_size_that_is_no_number_is_one_sentence(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "segments" / "sizes.csv"
    path.write_text(path.read_text().replace(",60,", ",many,"), encoding="utf-8")
    with pytest.raises(ValueError, match="a number in it is not one"):
        report(tmp_path)


def test_a_picture_that_does_not_tell_its_size_has_none() -> None:
    assert Picture(b"<svg/>").size is None


def test_the_stage_runs_as_it_is_configured(tmp_path: Path, compose: Callable[..., Any]) -> None:
    artifacts(tmp_path)
    hydra.utils.call(compose("stage=report", "study=grid", f"paths.root={tmp_path}").stage)
    assert (tmp_path / "artifacts" / "report" / "index.html").exists()
    assert (tmp_path / "artifacts" / "report" / "segments.pptx").exists()
