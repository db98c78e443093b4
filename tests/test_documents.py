"""Generated parts: only what stands between the markers changes, and it says what the run found."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.documents import dictionary, entity_diagram, extract_part, leaderboard_part, markdown_table, replace_part
from aisle.evidence import Finding
from aisle.leaderboard import leaderboard
from aisle.selection import Choice, Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages import readme
from aisle.tables import CANONICAL, EXTRACTED, LINES

TEXT = "before\n<!-- part -->\nold\n<!-- /part -->\nafter\n"
WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="<>\r"), max_size=40)


@given(before=WORDS, old=WORDS, new=WORDS, after=WORDS)
def test_only_what_stands_between_the_markers_changes(before: str, old: str, new: str, after: str) -> None:
    text = f"{before}\n<!-- part -->\n{old}\n<!-- /part -->\n{after}"
    found = replace_part(text, "part", new, "README.md")
    assert found == f"{before}\n<!-- part -->\n{new.rstrip()}\n<!-- /part -->\n{after}"
    assert replace_part(found, "part", new, "README.md") == found


def test_an_empty_part_can_be_filled() -> None:
    text = "<!-- part -->\n<!-- /part -->\n"
    assert replace_part(text, "part", "new", "README.md") == "<!-- part -->\nnew\n<!-- /part -->\n"


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "<!-- part -->\n",
        "<!-- /part -->\n<!-- part -->\n",
        TEXT + TEXT,
        "<!-- part -->\n" + TEXT,
        TEXT + "<!-- /part -->\n",
    ],
)
def test_markers_that_are_missing_repeated_or_crossed_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"README.md must hold the markers <!-- part --> and <!-- /part --> once"):
        replace_part(text, "part", "new", "README.md")


def test_a_pipe_in_a_cell_does_not_end_the_cell() -> None:
    assert markdown_table(["a"], [["x | y"]]) == "| a |\n|---|\n| x \\| y |"


def _row(lifestage: str, clusterer: str, k: int, score: float, smallest: float = 0.2) -> dict[str, object]:
    names = {"lifestage": lifestage, "features": "baskets", "scaler": "standard", "reducer": "none"}
    measured = {"n_clusters": float(k), "coverage": 1.0, "balance": 0.9, "smallest_share": smallest}
    scores = {"features/silhouette": score, "features/ranking_score": score}
    told = {"parameter": "n_clusters", "tuning_value": float(k), "customer_count": 120, "candidate_key": clusterer}
    return {**names, "clusterer": clusterer, **told, **measured, **scores}


BOARD = leaderboard(
    [
        _row("YA", "kmeans", 2, 0.31),
        _row("YA", "kmeans", 3, 0.33),
        _row("YA", "ward", 2, 0.40, smallest=0.01),
        _row("YA", "ward", 3, 0.28),
        _row("YA", "dbscan", 2, 0.10),
        _row("OA", "ward", 4, 0.25),
    ],
    floor=0.05,
)


def test_the_leaderboard_shows_the_best_eligible_partition_of_the_best_methods_of_each_lifestage() -> None:
    rows = [line.split(" | ") for line in leaderboard_part(BOARD, best=2).splitlines()[2:]]
    assert [(row[0], row[3], row[4], row[-1]) for row in rows] == [
        ("| older adults (OA)", "ward", "4", "0.250 |"),
        ("| young adults (YA)", "kmeans", "3", "0.330 |"),
        ("| young adults (YA)", "ward", "3", "0.280 |"),
    ]


def test_the_leaderboard_is_the_same_from_the_frame_and_from_its_csv(tmp_path: Path) -> None:
    BOARD.to_csv(tmp_path / "leaderboard.csv", index=False)
    assert leaderboard_part(pd.read_csv(tmp_path / "leaderboard.csv"), best=3) == leaderboard_part(BOARD, best=3)


def test_the_counts_of_the_extract_name_the_lifestages() -> None:
    counts = {"customer_count": 12, "basket_count": 340}
    told = extract_part({"lifestages": {"OA": counts, "unclassified": counts}})
    assert "| older adults | OA | 12 | 340 |" in told
    assert "| unclassified | unclassified | 12 | 340 |" in told


def test_the_dictionary_tells_every_table_column_type_code_and_key() -> None:
    tables = [*CANONICAL.values(), *EXTRACTED.values()]
    told = dictionary(tables)
    for table in tables:
        section = told.split(f"## {table.name}\n")[1].split("\n## ")[0]
        assert f"Key: {', '.join(table.key)}." in section
        for name, column in table.columns.items():
            (row,) = [line for line in section.splitlines() if line.startswith(f"| {name} |")]
            assert f"| {column.type} |" in row
            assert column.meaning in row
            assert all(code in row for code in column.codes)
            assert ("may be null" in row) is column.nullable


def test_the_dictionary_tells_where_a_column_is_found() -> None:
    assert "basket_id is found in baskets." in dictionary([LINES])


def test_the_diagram_shows_every_column_key_and_relation_and_nothing_else() -> None:
    lines = [line.strip() for line in entity_diagram(list(CANONICAL.values())).splitlines()]
    for table in CANONICAL.values():
        start = lines.index(f"{table.name} {{")
        columns = [line.split(" ", 2) for line in lines[start + 1 : lines.index("}", start)]]
        assert [name for _, name, _ in columns] == list(table.columns)
        assert [name for _, name, more in columns if more.split('"')[0].startswith("PK")] == [
            name for name in table.columns if name in table.key
        ]
        assert [name for _, name, more in columns if "FK" in more.split('"')[0]] == [
            name for name in table.columns if name in table.references
        ]
    drawn = {tuple(line.replace("|o--o{", "||--o{").split(" ||--o{ ")) for line in lines if "--o{" in line}
    assert drawn == {
        (parent, f"{table.name} : {name}") for table in CANONICAL.values() for name, parent in table.references.items()
    }


def test_the_diagram_tells_which_relation_is_optional() -> None:
    drawn = entity_diagram([CANONICAL["baskets"], CANONICAL["lines"]])
    assert "customers |o--o{ baskets : customer_id" in drawn
    assert "baskets ||--o{ lines : basket_id" in drawn


SCORES = {"smallest_share": 0.2}
CHOICE = Choice("baskets", "standard", "pca", "ward", "k1", "n_clusters", 3.0, 3, SCORES, "reproducible")
FOUND = (Finding("null_p", 0.65, "< 0.05", False), Finding("jaccard_worst", 0.8, ">= 0.75", True))
TALLY = Tally(1, 1, 1, 1, {}, {})
SELECTION = Selection(
    "baskets",
    SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["ward"]),
    {},
    (
        Verdict("PE", 40, None, ("Do not segment PE.",), (), TALLY, (), "do not segment", ()),
        Verdict("YA", 300, CHOICE, ("It is the best.",), (), TALLY, (), "reproducible", FOUND),
    ),
)


@pytest.fixture
def documents(tmp_path: Path) -> dict[str, Path]:
    """The arguments of the stage, in a folder of its own."""
    paths = {
        "leaderboard": tmp_path / "leaderboard.csv",
        "summary": tmp_path / "summary.json",
        "verdicts": tmp_path / "verdicts.json",
        "replication": tmp_path / "replication.csv",
        "picture": tmp_path / "ranking.png",
        "readme": tmp_path / "README.md",
        "docs": tmp_path / "docs",
    }
    BOARD.to_csv(paths["leaderboard"], index=False)
    counts = {"OA": {"customer_count": 12, "basket_count": 340}}
    paths["summary"].write_text(json.dumps({"lifestages": counts}))
    paths["verdicts"].write_text(json.dumps(selection_to_json(SELECTION)))
    paths["replication"].write_text("lifestage,halves,replication\nYA,baskets,0.9\nYA,weeks,0.75\n")
    paths["picture"].write_bytes(b"a picture")
    parts = ("leaderboard", "verdicts", "extract")
    paths["readme"].write_text("".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in parts))
    return paths


def test_the_stage_fills_the_readme_and_the_docs_and_a_second_time_changes_nothing(documents: dict[str, Path]) -> None:
    readme.run(**documents)
    written = {path: path.read_bytes() for path in documents["docs"].rglob("*") if path.is_file()}
    text = documents["readme"].read_text()
    assert "| young adults (YA) |" in text
    assert "| older adults | OA | 12 | 340 |" in text
    assert "| young adults (YA) | reproducible | ward, pca | 3 | 20% | 0.65 |  | 0.80 |  |  | 0.75 |" in text
    assert "| pensioners (PE) | do not segment |  |  |  |  |  |  |  |  |  |" in text
    assert {path.relative_to(documents["docs"]).as_posix() for path in written} == {
        "data_dictionary.md",
        "schema.md",
        "pictures/ranking.png",
    }
    readme.run(**documents)
    assert documents["readme"].read_text() == text
    assert {path: path.read_bytes() for path in written} == written


def test_a_readme_without_markers_is_left_as_it_is(documents: dict[str, Path]) -> None:
    documents["readme"].write_text("no markers\n")
    with pytest.raises(ValueError, match=r"README.md must hold the markers"):
        readme.run(**documents)
    assert documents["readme"].read_text() == "no markers\n"
    assert not documents["docs"].exists()
