"""The report on a phone, at a desk and on paper: nothing is cut off, pictures grow, the keyboard is enough."""

from pathlib import Path

import pytest
from tests.report.artifacts import artifacts, report
from tests.report.browser import DESK, PHONE, TABLET, opened

pytestmark = pytest.mark.verify

NAMES = ("small shops in the evening, nothing fresh", "large full shops, seldom", "まとめ買い")
CUT_OFF = """() => [...document.querySelectorAll('main *, nav *')].filter(one => {
  const box = one.getBoundingClientRect(), style = getComputedStyle(one);
  if (!box.width || one.closest('svg')) return false;
  const hides = style.overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1;
  return hides || box.right > innerWidth + 1 || box.left < -1;
}).filter(one => !one.classList.contains('skip')).map(one => one.className + ' ' + one.textContent.slice(0, 60))"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    report(artifacts(folder, names=NAMES))
    return folder / "artifacts" / "report" / "index.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, TABLET, DESK], ids=["phone", "tablet", "desk"])
def test_no_text_is_cut_off_and_nothing_scrolls_sideways(page_file: Path, size: tuple[int, int], scheme: str) -> None:
    with opened(page_file, size, scheme) as seen:
        seen.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert seen.page.evaluate("document.documentElement.scrollWidth") == size[0]
        assert seen.page.evaluate(CUT_OFF) == []
        assert seen.complaints == []


def test_on_a_phone_a_wide_table_is_lines_that_name_their_column_and_still_sorts(page_file: Path) -> None:
    with opened(page_file, PHONE) as seen:
        table = seen.page.get_by_role("table", name="Who they are, segment by segment")
        counts = table.get_by_role("cell", name="customers")
        assert [count.inner_text() for count in counts.all()] == ["60", "30", "20", "25", "15"]
        first, second = table.get_by_role("row").nth(1).locator("th, td").all()[:2]
        above, below = first.bounding_box(), second.bounding_box()
        assert above
        assert below
        assert below["y"] >= above["y"] + above["height"] - 1
        table.get_by_role("button", name="customers").press("Enter")
        assert [count.inner_text() for count in counts.all()] == ["60", "30", "25", "20", "15"]


def test_a_picture_grows_and_shrinks_by_keyboard(page_file: Path) -> None:
    with opened(page_file, PHONE) as seen:
        button = seen.page.get_by_role("button", name="Enlarge: Critical difference")
        small = button.locator("img").bounding_box()
        button.press("Enter")
        large = seen.page.get_by_role("dialog").locator("img").bounding_box()
        assert small
        assert large
        assert large["width"] > 1.5 * small["width"]
        seen.page.keyboard.press("Escape")
        assert seen.page.get_by_role("dialog").count() == 0
        assert button.evaluate("one => document.activeElement === one")


def test_the_contents_and_everything_folded_are_reached_by_keyboard(page_file: Path) -> None:
    with opened(page_file) as seen:
        seen.page.keyboard.press("Tab")
        assert seen.page.evaluate("document.activeElement.textContent") == "Skip to the answer"
        summary = seen.page.locator("summary").first
        summary.press("Enter")
        assert seen.page.locator("details").first.get_attribute("open") is not None


def test_without_its_script_everything_is_still_there(page_file: Path) -> None:
    plain = page_file.with_name("plain.html")
    text = page_file.read_text(encoding="utf-8")
    plain.write_text(text[: text.index("<script>")] + "</body></html>", encoding="utf-8")
    with opened(plain) as seen:
        assert seen.page.locator("thead button").count() == 0
        assert seen.page.get_by_role("table").count() > 4


def test_on_paper_it_is_light_and_everything_is_open(page_file: Path) -> None:
    with opened(page_file, scheme="dark") as seen:
        dark = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        seen.page.emulate_media(media="print", color_scheme="dark")
        seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
        assert seen.page.locator("details:not([open])").count() == 0
        assert not seen.page.locator("nav").is_visible()
        assert seen.page.pdf(format="A4").startswith(b"%PDF")
