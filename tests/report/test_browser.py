"""The report in a browser: it opens in silence, alone, and its tables sort."""

from pathlib import Path

from tests.report.artifacts import artifacts, report
from tests.report.browser import opened


def test_the_report_opens_in_silence_without_the_network_and_its_tables_sort(tmp_path: Path) -> None:
    report(artifacts(tmp_path))
    path = tmp_path / "artifacts" / "report" / "index.html"
    with opened(path) as seen:
        table = seen.page.get_by_role("region", name="Young adults (YA): who is in which segment")
        rows = table.locator("tbody tr")
        assert rows.locator("td:nth-child(2)").all_inner_texts() == ["60", "30", "20"]
        head = table.get_by_role("button", name="customers")
        head.press("Enter")
        head.press("Enter")
        assert rows.locator("td:nth-child(2)").all_inner_texts() == ["20", "30", "60"]
        assert table.locator("th[aria-sort=ascending]").inner_text().startswith("customers")
        assert seen.complaints == []
        assert seen.requests == [path.as_uri()]
