"""MLflow's pages of a small study as a person meets them: the leaderboard, its charts, a run, the registered rule."""

import csv
import io
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page
from tests.report.browser import opened
from tests.verify.study import QUICK
from tests.verify.workspace import Workspace

from aisle.leaderboard import RANKED_BY

pytestmark = pytest.mark.verify

STAGES = ("evidence evidence=quick", "select evidence=quick", "segments", "assign")
RAW = re.compile(r"\*\*|\|---|&nbsp;")
"""Markdown that was not rendered."""
LINES = "one => one.data.filter(line => line.x.length > 1 && line.y.length > 1).map(line => [line.name, line.x])"


class Site(NamedTuple):
    """A server's ``home``, where its ``leaderboard`` is, as the sync says it, and the study that it shows."""

    home: str
    leaderboard: str
    workspace: Workspace

    def rows(self) -> list[dict[str, str]]:
        """The best row of every candidate of leaderboard.csv, by name; of the eligible first, the best first."""
        rows = list(csv.DictReader(io.StringIO(self.workspace.read("artifacts/tiny/leaderboard.csv").decode())))
        first = {" · ".join((row["lifestage"], row["reducer"], row["clusterer"])): row for row in reversed(rows)}
        for name, row in first.items():
            row["name"] = name
        return sorted(first.values(), key=lambda row: (row["eligible"] == "True", float(row[RANKED_BY])), reverse=True)

    def chosen(self) -> str:
        """The name of the candidate that the rule is of."""
        told = json.loads(self.workspace.read("artifacts/assign/agreement.json"))
        keys = {own["candidate_key"] for own in told["lifestages"].values()}
        return next(row["name"] for row in self.rows() if row["candidate_key"] in keys)


@pytest.fixture(scope="module")
def site(groceries: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A study with a choice, a rule and names, in the store of a server that runs."""
    workspace = groceries.copied(tmp_path_factory.mktemp("mlflow") / "aisle")
    workspace.run(f"{QUICK} tracker=none")
    for stage in STAGES:
        workspace.run(f"python -m aisle study=tiny stage={stage}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = f"http://127.0.0.1:{port}"
    said = workspace.run(f"python -m aisle stage=sync study=tiny tracker.pages={home}")
    found = re.search(rf"{home}/\S+", said)
    assert found, said
    server = f"mlflow server --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port {port} --workers 1"
    with workspace.running(f"{server} > server.log 2>&1"):
        _wait_until_up(port, workspace)
        yield Site(home, found[0], workspace)


def _wait_until_up(port: int, workspace: Workspace) -> None:
    patient_until = time.monotonic() + 120
    while time.monotonic() < patient_until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.5)
    raise AssertionError(workspace.read("server.log").decode())


@contextmanager
def reading(site: Site, place: str) -> Iterator[Page]:
    """A page as a person sees it who has chosen "Model training" once, and sent MLflow's assistant away."""
    with opened(site.home) as seen:
        seen.page.set_default_timeout(60_000)
        seen.page.get_by_role("button", name="Close", exact=True).click()
        seen.page.get_by_text("Model training", exact=True).click()
        seen.page.goto(place)
        yield seen.page


def texts(found: Locator) -> list[str]:
    """What is written in each; waits for the first."""
    found.first.wait_for()
    return [text.strip() for text in found.all_inner_texts()]


def drawn(page: Page, name: str) -> bool:
    """Whether the picture ``name`` of the artifacts is seen; waits for it."""
    page.get_by_text(f"/{name}").first.wait_for()
    picture = page.locator("main img:visible").last
    picture.wait_for()
    return bool(picture.evaluate("one => one.decode().then(() => one.naturalWidth > 100)"))


def open_run(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_role("heading", name=name).wait_for()


def test_the_address_that_is_told_opens_the_useful_columns_best_first(site: Site) -> None:
    rows = site.rows()
    eligible = [row for row in rows if row["eligible"] == "True"]
    assert 1 < len(eligible) < len(rows)  # or it could not be seen that the others stand below
    with reading(site, site.leaderboard) as page:
        names = texts(page.locator('.ag-row [col-id="attributes.`Run Name`"] a'))
        heads = texts(page.locator(".ag-header-cell"))
        scores = texts(page.locator('.ag-row [col-id="metrics.`best/score`"]'))
        page.locator(".ag-body-horizontal-scroll-viewport, .ag-center-cols-viewport").last.evaluate(
            "one => { one.scrollLeft = one.scrollWidth; }"
        )
        page.locator('.ag-header-cell[col-id="tags.`evidence_class`"]').wait_for()
    assert sorted(names) == sorted([*(row["name"] for row in rows), "Rule · tiny", "Summary · tiny"])
    assert names[: len(eligible)] == [row["name"] for row in eligible]
    assert [float(score) for score in scores[: len(eligible)]] == [round(float(row[RANKED_BY]), 4) for row in eligible]
    assert set(scores[len(eligible) :]) == {"-"}
    assert {"best/score", "best/k", "best/covered", "best/smallest", "lifestage", "clusterer"} <= set(heads)


def test_silhouettes_over_k_lie_over_each_other_in_one_chart(site: Site) -> None:
    with reading(site, site.leaderboard) as page:
        page.locator('label:has(input[name="runs-view-mode"][value="CHART"])').click()
        card = page.locator(".js-plotly-plot").nth(1)
        card.locator(".scatterlayer .trace").first.wait_for()
        titles = texts(page.get_by_test_id("draggable-chart-cards-grid"))
        lines = dict(card.evaluate(LINES))
    assert "features/silhouette" in titles[0]
    assert set(lines) == {row["name"] for row in site.rows()}
    assert {tuple(places) for places in lines.values()} == {tuple(range(2, 10))}


def test_the_study_says_its_verdict_above_its_runs(site: Site) -> None:
    with reading(site, site.leaderboard) as page:
        question = page.get_by_text("What does this combination give?", exact=True)
        question.wait_for()
        page.locator('[data-component-id="mlflow.experiment.metadata_editor.expand_button"]').click()
        note = question.locator("xpath=..")
        said, heads = note.inner_text(), texts(note.locator("th"))
        strong = texts(note.locator("strong"))
    assert "Verdict" in strong
    assert heads[:3] == ["lifestage", "reducer", "clusterer"]
    assert not RAW.search(said)


def test_a_run_shows_its_note_its_data_and_previews_its_artifacts(site: Site) -> None:
    with reading(site, site.leaderboard) as page:
        open_run(page, site.chosen())
        page.get_by_text("Show more", exact=True).first.click()
        note = page.locator("p", has_text="Chosen for").first.locator("xpath=..")
        assert texts(note.locator("table").first.locator("th")) == ["segment", "name", "customers"]
        assert not RAW.search(note.inner_text())

        page.get_by_text(re.compile(r"^baskets · (OA|YA)")).first.click()
        page.get_by_text("basket_count", exact=True).wait_for()
        page.keyboard.press("Escape")

        page.get_by_role("tab", name="Artifacts").click()
        page.get_by_text("cluster_profiles.json", exact=True).click()
        page.get_by_text("basket_count", exact=True).wait_for()
        page.get_by_text("evidence", exact=True).click()
        page.get_by_text("curves.png", exact=True).click()
        assert drawn(page, "curves.png")
        page.get_by_text("segments", exact=True).click()
        page.get_by_text("silhouettes.svg", exact=True).click()
        assert drawn(page, "silhouettes.svg")


def test_the_rule_is_registered_and_its_pages_say_what_it_is(site: Site) -> None:
    with reading(site, f"{site.home}/#/models/aisle-tiny") as page:
        page.get_by_text("The rule by which every customer gets a segment").wait_for()
        page.get_by_text("models:/aisle-tiny@chosen").wait_for()
        page.get_by_role("row", name="Version 1").get_by_text("chosen").wait_for()
        page.get_by_role("link", name="Version 1").click()
        page.get_by_role("link", name="Rule · tiny").wait_for()
        note = page.locator("p", has_text="How every customer gets a segment").locator("xpath=..")
        assert texts(note.locator("th"))[:2] == ["lifestage", "by the nearest"]
        assert not RAW.search(note.inner_text())
        page.get_by_text(re.compile(r"Inputs \(\d+\)")).wait_for()
