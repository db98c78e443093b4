"""The presentation: one message a slide, all of it can be edited, nothing hidden is told, nothing runs over."""

import hashlib
import io
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from tests.report.artifacts import FEATURES, artifacts, slides

from aisle.report.html import Cell, Grid
from aisle.report.slides import fit, presentation
from aisle.report.slides.layout import pages
from aisle.report.slides.placed import HIGH, TITLE, WIDE, Page, Table, Text
from aisle.report.slides.slide import Slide
from aisle.report.slides.stable import stable
from aisle.storage import read_json, write_frame, write_json

LONG = " ".join(["Customers of this kind buy large baskets of everything on Saturdays and little in between."] * 9)
NAMES = ("small shops in the evening, nothing fresh", "large full shops, seldom", "まとめ買い、週末")


def titles(path: Path) -> list[str]:
    return [sheet.shapes.title.text_frame.text for sheet in Presentation(str(path)).slides]


def told(path: Path) -> str:
    """All text: of shapes, tables, charts and notes."""
    found = []
    for sheet in Presentation(str(path)).slides:
        for shape in sheet.shapes:
            if shape.has_text_frame:
                found.append(shape.text_frame.text)
            if shape.has_table:
                found += [cell.text for row in shape.table.rows for cell in row.cells]
            if shape.has_chart:
                found += [*shape.chart.plots[0].categories, *(series.name for series in shape.chart.plots[0].series)]
        if sheet.has_notes_slide:
            found.append(sheet.notes_slide.notes_text_frame.text)
    return "\n".join(map(str, found))


def test_every_title_is_a_sentence_of_the_results(tmp_path: Path) -> None:
    found = titles(slides(artifacts(tmp_path, names=NAMES)))
    assert found[0] == "No lifestage has distinct types of customers."
    ends = "18% (young adults), the largest 62% (pensioners)"
    assert f"The smallest segment holds {ends} of its lifestage's customers." in found
    assert (
        "Pensioners fall into 2 segments: “small shops in the evening, nothing fresh” (62%) and “large full shops, "
        "seldom” (38%)." in found
    )
    assert "Over all lifestages the 5 segments are 2 kinds." in found
    assert "kmeans is above ward." in found
    assert found[-1] == "Every number can be made again with make reproduce, or step by step."
    assert all(title.endswith(".") for title in found)
    assert len(set(found)) == len(found)


def test_tables_bars_and_texts_can_be_edited_and_pictures_have_words(tmp_path: Path) -> None:
    deck = Presentation(str(slides(artifacts(tmp_path))))
    shapes = [shape for sheet in deck.slides for shape in sheet.shapes]
    charts = [shape.chart for shape in shapes if shape.has_chart]
    assert [list(plot.categories) for chart in charts for plot in chart.plots] == [
        ["Pensioners (PE): customers", "Young adults (YA): customers"]
    ]
    shares = {series.name: tuple(series.values) for series in charts[0].plots[0].series}
    assert shares["segment 0"] == pytest.approx((25 / 40, 60 / 110))
    assert sum(shape.has_table for shape in shapes) >= 8
    pictures = [shape for shape in shapes if shape.shape_type == MSO_SHAPE_TYPE.PICTURE]
    assert len(pictures) == 2
    assert all(picture._element.nvPicPr.cNvPr.get("descr") for picture in pictures)


def test_every_slide_with_numbers_says_where_they_are_from(tmp_path: Path) -> None:
    deck = Presentation(str(slides(artifacts(tmp_path))))
    sources = [
        any("Numbers from artifacts/" in s.text_frame.text for s in sheet.shapes if s.has_text_frame)
        for sheet in deck.slides
    ]
    assert sources == [*[True] * (len(sources) - 1), False]


def test_a_lifestage_has_one_slide_with_its_sizes_and_contrasts(tmp_path: Path) -> None:
    deck = Presentation(str(slides(artifacts(tmp_path, names=NAMES))))
    (young,) = [sheet for sheet in deck.slides if sheet.shapes.title.text_frame.text.startswith("Young adults fall")]
    apart = "The segments of young adults are furthest apart in gap days mean, basket size L share and item count mean."
    assert apart in [shape.text_frame.text for shape in young.shapes if shape.has_text_frame]
    first, second = [shape.table for shape in young.shapes if shape.has_table]
    assert [cell.text for cell in first.rows[1].cells] == ["0", NAMES[0], "60", "55%", "55%", "\N{EN DASH}"]
    assert [cell.text for cell in second.rows[3].cells][:2] == ["item count mean", "1,050"]


def test_a_segment_below_the_floor_is_on_no_slide(tmp_path: Path) -> None:
    few = artifacts(tmp_path, sizes={"YA": (60, 31, 3), "PE": (25, 15)}, names=("many", "some", "secret"))
    text = told(slides(few))
    assert "secret" not in text
    assert "YA 2" not in text
    assert "YA 1" not in text, "the others would tell what the hidden one is"
    assert "A segment with fewer than 10 customers is not shown" in text
    assert "Young adults fall into 3 segments; the largest that is shown, “many”, holds 64%." in text
    assert "The smallest segment holds 3 customers." not in text
    deck = Presentation(str(tmp_path / "artifacts" / "report" / "segments.pptx"))
    pictures = [s for sheet in deck.slides for s in sheet.shapes if s.shape_type == MSO_SHAPE_TYPE.PICTURE]
    assert len(pictures) == 1, "the heatmap shows all segments"


@pytest.mark.parametrize("stage", ["select", "segments", "compare", "differences", "stores", "extract", "grid"])
def test_what_was_not_run_has_no_slide_and_is_told(tmp_path: Path, stage: str) -> None:
    artifacts(tmp_path)
    shutil.rmtree(tmp_path / "artifacts" / stage)
    text = told(slides(tmp_path))
    assert (f"{stage}: the study has not been run." if stage == "grid" else f"stage={stage} has not been run.") in text


def test_without_anything_there_is_still_a_presentation(tmp_path: Path) -> None:
    found = titles(slides(tmp_path))
    assert found[0].startswith("No verdict has been reached: stage=select has not been run")
    assert len(found) == 3


def test_a_study_without_segments_is_told(tmp_path: Path) -> None:
    assert "Do not segment OF: nothing comes back." in told(slides(artifacts(tmp_path, sizes={})))


def test_a_lifestage_of_one_segment_and_a_segment_of_one_customer_are_told(tmp_path: Path) -> None:
    found = titles(slides(artifacts(tmp_path, sizes={"YA": (60,), "PE": (70, 30, 1)}, names=("all", "few", "one"))))
    assert "Young adults are one segment: “all” (100%)." in found
    assert "Pensioners fall into 3 segments; the largest that is shown, “all”, holds 69%." in found


def test_equal_artifacts_give_the_same_bytes_of_an_archive_without_times(tmp_path: Path) -> None:
    first = slides(artifacts(tmp_path / "one")).read_bytes()
    assert slides(artifacts(tmp_path / "two")).read_bytes() == first
    with zipfile.ZipFile(io.BytesIO(first)) as package:
        entries = package.infolist()
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        names = [entry.filename for entry in entries]
        assert names[0] == "[Content_Types].xml"
        assert names[1:] == sorted(names[1:])
        books = [name for name in names if name.endswith(".xlsx")]
        assert len(books) == 1
        with zipfile.ZipFile(io.BytesIO(package.read(books[0]))) as book:
            assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert b">1980-01-01T00:00:00Z</dcterms:created>" in book.read("docProps/core.xml")


def test_a_stable_file_stays_as_it_is_and_anything_else_is_refused(tmp_path: Path) -> None:
    content = slides(artifacts(tmp_path)).read_bytes()
    assert hashlib.sha256(stable(content)).digest() == hashlib.sha256(content).digest()
    with pytest.raises(ValueError, match="must be a ZIP archive"):
        stable(b"text")


def within(page: Page) -> bool:
    """Whether every item is on the slide, its text needs no more than its box, and no item covers another."""
    bottom = TITLE.top + TITLE.high
    assert fit.height([page.title], page.title_size, TITLE.wide, bold=True) <= TITLE.high
    for item in page.items:
        assert item.box.left >= 0
        assert item.box.left + item.box.wide <= WIDE
        assert item.box.top >= bottom
        bottom = item.box.top + item.box.high
        assert bottom <= HIGH - 30
        if isinstance(item, Text) and not item.mono:
            gap = 0.0 if item.soft else 0.6
            assert fit.height(item.paragraphs, item.size, item.box.wide, gap=gap) <= item.box.high + 1e-6
        if isinstance(item, Table):
            assert sum(item.heights) == pytest.approx(item.box.high)
    return True


SHORT = Cell("12.3 101", 12.3)
ROWS = [[f"row {place}", LONG if place == 3 else "short", Cell("1,234", 1234.0)] for place in range(60)]
WIDE_ROWS = [[f"a_feature_with_a_long_name_{place}", *[SHORT] * 14] for place in range(9)]
HEAD = ["one", "two", "three"]
WIDE_HEAD = ["feature", *(f"segment {n}" for n in range(14))]
CROWDED = {
    "a long title": Slide("Part", LONG),
    "many sentences": Slide("Part", "Title.", (LONG,) * 12),
    "a sentence longer than a slide": Slide("Part", "Title.", (LONG * 9,)),
    "a long word": Slide("Part", "w" * 900, ("w" * 9000,)),
    "a language without spaces": Slide("Part", "まとめ買い" * 90, ("まとめ買い" * 900,)),
    "a long table": Slide("Part", "Title.", ("One sentence.",), (Grid("All", HEAD, ROWS),)),
    "a table below many sentences": Slide("Part", "Title.", (LONG,) * 5, (Grid("All", HEAD, ROWS[:4]),)),
    "a cell longer than a slide": Slide("Part", "Title.", (), (Grid("All", HEAD[:2], [["x", LONG * 30], ["y", "z"]]),)),
    "a wide table": Slide("Part", "Title.", (), (Grid(LONG, WIDE_HEAD, WIDE_ROWS),)),
    "two tables": Slide("Part", "Title.", (), (Grid("One", HEAD, ROWS[:2]), Grid("Two", HEAD, ROWS[:9]))),
    "many commands": Slide("Part", "Title.", commands=("python -m aisle " + "x" * 300,) * 60),
}


@pytest.mark.parametrize("name", CROWDED)
def test_what_is_too_much_goes_on_to_the_next_slide_and_nothing_runs_over(name: str) -> None:
    made = pages(CROWDED[name])
    assert made
    assert all(map(within, made))
    assert presentation([CROWDED[name]], "Crowded")


def test_a_table_over_more_slides_keeps_its_head_and_every_row() -> None:
    tables = [item for page in pages(CROWDED["a long table"]) for item in page.items if isinstance(item, Table)]
    assert len(tables) > 1
    assert {table.rows[0] for table in tables} == {("one", "two", "three")}
    assert [row[0] for table in tables for row in table.rows[1:]] == [f"row {place}" for place in range(60)]


def test_slides_of_one_message_are_numbered() -> None:
    made = pages(CROWDED["a long table"])
    assert [page.title for page in made] == [f"Title. ({place} of {len(made)})" for place in range(1, len(made) + 1)]


def test_a_title_that_is_cut_stands_whole_in_the_notes() -> None:
    (page,) = pages(CROWDED["a long title"])
    assert page.title.endswith(" …")
    assert page.notes[0] == LONG


CELLS = st.sampled_from(["", "id", "kind", "score", "a few words", "gaussian_mixture"])


@settings(deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1), st.floats(1.0, 1.3))
def test_no_word_of_a_table_is_broken_where_there_is_room_for_all(rows: list[tuple[str, ...]], more: float) -> None:
    words = [max((fit.width(w, 12, bold=True) for row in rows for w in row[at].split()), default=0) for at in range(4)]
    room = more * (sum(words) + 4 * 8)
    made = fit.columns(rows, 12, room, 8)
    assert sum(made) == pytest.approx(room)
    assert all(wide + 1e-6 >= word + 8 for wide, word in zip(made, words, strict=True))


def test_the_real_slides_fit(tmp_path: Path) -> None:
    sheets = Presentation(str(slides(artifacts(tmp_path, names=NAMES)))).slides
    for sheet in sheets:
        for shape in sheet.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= WIDE * 12700
            assert shape.top + shape.height <= HIGH * 12700


def test_stores_are_told_with_their_formats(tmp_path: Path) -> None:
    path = slides(artifacts(tmp_path))
    assert "Store formats differ: all of it." in titles(path)
    assert "Segments of stores are not the formats." in told(path)


def test_names_of_lifestages_may_be_any_text(tmp_path: Path) -> None:
    text = told(slides(artifacts(tmp_path, sizes={"<b>": (60, 30), "学生": (25, 15)})))
    assert "The customers of 学生 fall into 2 segments" in text
    assert "<b>: customers" in text


def test_a_feature_that_nobody_has_is_a_dash_on_no_slide_a_nan(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "segments" / "profiles.parquet"
    profile = pd.read_parquet(path)
    profile.loc[profile["feature"] == FEATURES[0], ["mean", "lifestage_mean", "standardised_mean"]] = float("nan")
    write_frame(profile, path)
    assert "nan" not in told(slides(tmp_path))


def test_a_study_tells_question_hypothesis_and_finding(tmp_path: Path) -> None:
    path = artifacts(tmp_path) / "artifacts" / "grid" / "candidates.json"
    write_json({**read_json(path), "hypothesis": "There are two kinds."}, path)
    text = told(slides(tmp_path))
    assert "Question. Which method is best?" in text
    assert "Hypothesis. There are two kinds." in text
    assert "Of 2 lifestages: all is told." in text
