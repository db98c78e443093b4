"""Publishing, its history and undoing, on every engine, against a model in plain Python."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.database.conftest import KINDS, Database, empty_database, statement
from tests.database.publications import NOON, day, drawn, publication, state

from aisle.database import MySQL, PostgreSQL, publish_segments, read_receipt, undo_segments
from aisle.database.address import Address
from aisle.database.publishing_tables import lock
from aisle.database.session import columns_of
from aisle.publication import PUBLISHED, PUBLISHED_VIEWS, Publication, Receipt


@pytest.fixture(scope="module")
def lasting_server(new_server: Callable[[str], Database]) -> Callable[[str], Database]:
    """An engine with nothing published; one database for all tests here, as making one takes longer than the tests."""
    made = cache(new_server)

    def emptied(kind: str) -> Database:
        engine = made(kind)
        with engine.writing() as session:
            for table in [name for name in reversed(PUBLISHED) if columns_of(session, [name])]:
                session.execute(f"DELETE FROM {table}")  # noqa: S608
        return engine

    return emptied


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, lasting_server: Callable[[str], Database]) -> Database:
    """An engine with nothing published, one engine after the other."""
    return lasting_server(request.param)


def publish(server: Database, result: Publication, number: int) -> Receipt:
    with server.writing() as session:
        return publish_segments(session, result, at=day(number))


def undo(server: Database, run: str) -> Receipt:
    with server.writing() as session:
        return undo_segments(session, run)


def read_now(server: Database) -> Receipt:
    with server.reading() as session:
        return read_receipt(session)


def segments_of(result: Publication, receipt: Receipt) -> dict[tuple[str, str], tuple[int, str]]:
    """What every customer is in, by the receipt's account of which label became which segment."""
    became = {(row["lifestage"], row["label"]): (row["segment"], row["segment_name"]) for row in receipt.segments}
    rows = result.labels[result.labels["segment"] >= 0]
    return {(row.customer_id, row.lifestage): became[row.lifestage, row.segment] for row in rows.itertuples()}


def test_current_history_and_migration_are_those_of_a_plain_model(server: Database) -> None:
    before: dict[tuple[str, str], tuple[int, str]] = {}
    lasting: dict[tuple[str, str], tuple[Any, ...]] = {}
    closed: list[tuple[object, ...]] = []
    flows: Counter[tuple[str, str, int, int]] = Counter()
    for number in range(6):
        result = drawn(number)
        receipt = publish(server, result, number)
        now = segments_of(result, receipt)
        opened = {customer for customer in now if before.get(customer) != now[customer]}
        ended = {customer for customer in before if before[customer] != now.get(customer)}
        closed += [(*lasting.pop(customer), day(number), receipt.run) for customer in ended]
        for customer in opened:
            key = result.candidates[customer[1]]
            evidence = result.evidence.get(customer[1])
            lasting[customer] = (*customer, *now[customer], key, evidence, result.data_digest, receipt.run, day(number))
        for customer in before.keys() | now.keys():
            places = (before.get(customer, (-1, ""))[0], now.get(customer, (-1, ""))[0])
            flows[str(receipt.run), customer[1], *places] += 1
        found = state(server)
        assert found["customer_segment_history"] == sorted(
            [*((*row, None, None) for row in lasting.values()), *closed], key=repr
        )
        assert found["customer_segments"] == sorted(
            (
                (
                    *row[:4],
                    result.candidates[row[1]],
                    result.evidence.get(row[1]),
                    result.data_digest,
                    receipt.run,
                    row[-1],
                )
                for row in lasting.values()
            ),
            key=repr,
        )
        assert found["customer_segment_migration"] == sorted(((*flow, n) for flow, n in flows.items()), key=repr)
        assert (receipt.opened, receipt.closed) == (len(opened), len(ended))
        assert receipt.unchanged == len(now) - len(opened)
        before = now


def test_the_same_result_again_changes_nothing(server: Database) -> None:
    publish(server, drawn(0), 0)
    receipt = publish(server, drawn(1), 1)
    before = state(server)
    assert publish(server, drawn(1), 2) == receipt
    assert state(server) == before


def test_runs_are_undone_one_after_the_other_to_the_state_before_each(server: Database) -> None:
    publish(server, drawn(0), 0)
    states, receipts = [], []
    for number in (1, 2, 3, 1):  # what comes back is a run of its own
        with server.reading() as session:
            receipts.append(read_receipt(session))
        states.append(state(server))
        publish(server, drawn(number), 10 + len(states))
    while states:
        with server.reading() as session:
            run = read_receipt(session).run
        assert undo(server, str(run)) == receipts.pop()
        assert state(server) == states.pop()
    assert undo(server, str(read_now(server).run)).run is None
    assert all(rows == [] for rows in state(server).values())


def test_only_the_latest_run_can_be_undone(server: Database) -> None:
    with pytest.raises(ValueError, match=r"must be a run published in .*, one of \[\]; got 'none'"):
        undo(server, "none")
    first, second = (publish(server, drawn(number), number).run for number in (0, 1))
    before = state(server)
    with pytest.raises(ValueError, match=f"undo {second} before {first}"):
        undo(server, str(first))
    with pytest.raises(ValueError, match=rf"one of \['{first}', '{second}'\]; got \"' OR 1=1\""):
        undo(server, "' OR 1=1")
    assert state(server) == before


def test_a_refit_that_numbers_its_clusters_otherwise_changes_nobody(server: Database) -> None:
    rows = [(f"c{number}", "YA", number % 3) for number in range(30)]
    publish(server, publication(rows), 0)
    receipt = publish(server, publication([(customer, "YA", 2 - label) for customer, _, label in rows], "refit"), 1)
    assert (receipt.opened, receipt.closed, receipt.unchanged) == (0, 0, 30)
    found = state(server)
    assert {row[4] for row in found["customer_segments"]} == {"refit-YA"}
    assert {row[-1] for row in found["customer_segments"]} == {day(0)}


def test_a_new_segment_never_gets_an_id_that_another_had(server: Database) -> None:
    crowd = [(f"c{number}", "YA", 0) for number in range(10)]
    publish(server, publication([*crowd, ("x", "YA", 1)]), 0)
    publish(server, publication(crowd), 1)
    receipt = publish(server, publication([*crowd, ("y", "YA", 1)]), 2)
    assert [(row["label"], row["segment"]) for row in receipt.segments] == [(0, 0), (1, 2)]


def test_a_renamed_segment_opens_new_periods(server: Database) -> None:
    rows = [("a", "YA", 0), ("b", "YA", 1)]
    publish(server, publication(rows), 0)
    receipt = publish(server, publication(rows, names={("YA", 1): "Weekly shoppers"}), 1)
    assert (receipt.opened, receipt.closed, receipt.unchanged) == (1, 1, 1)


STRANGE = [
    "'; DROP TABLE customer_segments; --",
    "`customer_segments`",
    '"; SELECT 1; --',
    "\\'; x",
    "100%s %d {}",
    "🛒 ünïcode",
    "tab\tline\nfeed\rend",
    "x" * 300,
    "space ",
    "space",
    "Space",
    "",
    "NULL",
    "\\N",
]


def test_text_that_looks_like_sql_is_text(server: Database) -> None:
    texts = STRANGE if isinstance(server, PostgreSQL) else [*STRANGE, "nul\0nul"]
    rows = [(text, "YA", number) for number, text in enumerate(texts)]
    names = {("YA", number): text for number, text in enumerate(texts) if text}
    publish(server, publication(rows, names=names), 0)
    expected = {text: text or "YA 11" for text in texts}
    assert {row[0]: row[3] for row in state(server)["customer_segments"]} == expected
    before = state(server)
    publish(server, publication(rows, names=names), 1)
    assert state(server) == before


@pytest.mark.parametrize("where", ["customer_id", "segment_name"])
def test_postgresql_says_that_it_cannot_hold_a_nul(lasting_server: Callable[[str], Database], where: str) -> None:
    server = lasting_server("postgresql")
    strange = "a\0b"
    rows = [(strange if where == "customer_id" else "a", "YA", 0)]
    with pytest.raises(ValueError, match=rf"cannot hold the character NUL; {where} 'a\\x00b'"):
        publish(server, publication(rows, names={("YA", 0): strange} if where == "segment_name" else {}), 0)


def test_time_does_not_run_backwards(server: Database) -> None:
    publish(server, drawn(0), 5)
    before = state(server)
    with pytest.raises(ValueError, match=r"stage.at must not be before the run in force, .* of 2026-02-05 12:00"):
        publish(server, drawn(1), 4)
    assert state(server) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_of_that_name_that_is_not_ours_is_left_alone(new_server: Callable[[str], Database], kind: str) -> None:
    server = new_server(kind)
    with server.writing() as session:
        session.execute("CREATE TABLE customer_segments (customer_id varchar(20), segment varchar(20))")
    with pytest.raises(ValueError, match=r"table customer_segments must have the columns .* Rename it"):
        publish(server, drawn(0), 0)
    with server.reading() as session:
        assert session.rows("SELECT COUNT(*) FROM customer_segments") == [(0,)]


def test_all_engines_give_one_receipt(server: Database, tmp_path: Path) -> None:
    with empty_database("duckdb", tmp_path) as other:
        for number in (0, 1):
            assert publish(server, drawn(number), number) == publish(other, drawn(number), number + 40)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_two_publications_at_once_become_two_runs(new_server: Callable[[str], Database], kind: str) -> None:
    server = new_server(kind)
    threads = [threading.Thread(target=publish, args=(server, drawn(number, 3000), 0)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = state(server)
    assert sorted(row[1] for row in found["customer_segment_runs"]) == [1, 2]
    lasting = {row[:4] for row in found["customer_segment_history"] if row[-1] is None}
    assert lasting == {row[:4] for row in found["customer_segments"]}


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_who_waits_too_long_for_another_is_told(lasting_server: Callable[[str], Database], kind: str) -> None:
    server = lasting_server(kind)
    with server.writing() as first, server.writing() as second:
        lock(first)
        with pytest.raises(BlockingIOError, match="one publication at a time; another is"):
            lock(second, patience=0)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_without_rights_one_sentence_says_so(lasting_server: Callable[[str], Database], kind: str) -> None:
    server: PostgreSQL | MySQL = lasting_server(kind)
    scheme, port = ("postgresql", 5432) if kind == "postgresql" else ("mysql", 3306)
    place = Address.of(server.publish, scheme=scheme, port=port)
    who = f"{place.database[-16:]}_reader"
    rights = "LOGIN PASSWORD 'swordfish'" if kind == "postgresql" else "IDENTIFIED BY 'swordfish'"
    statement(kind, server.publish, f"CREATE USER {who} {rights}")
    try:
        if kind == "mysql":
            statement(kind, server.publish, f"GRANT SELECT ON {place.database}.* TO {who}")
        url = f"{scheme}://{who}:swordfish@{place.host}:{place.port}/{place.database}"
        with pytest.raises(OSError, match=r"refuses: .*(denied|must be)") as refused:
            publish(type(server)(read=url, publish=url), drawn(0), 0)
        assert "swordfish" not in str(refused.value)
    finally:
        if kind == "mysql":
            statement(kind, server.publish, f"REVOKE ALL PRIVILEGES ON {place.database}.* FROM {who}")
        statement(kind, server.publish, f"DROP USER {who}")


def test_keys_and_checks_hold_against_other_writers(server: Database) -> None:
    publish(server, drawn(0), 0)
    for change in (
        "UPDATE customer_segment_periods SET segment = -1",
        "INSERT INTO customer_segment_runs SELECT * FROM customer_segment_runs",
        "INSERT INTO customer_segment_periods SELECT * FROM customer_segment_periods",
        "UPDATE customer_segment_periods SET closed_by = opened_by",
        "UPDATE customer_segment_labels SET segment_name = NULL",
    ):
        with pytest.raises(OSError, match="refuses"), server.writing() as session:
            session.execute(change)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_tables_and_columns_are_explained_in_the_database(lasting_server: Callable[[str], Database], kind: str) -> None:
    server = lasting_server(kind)
    publish(server, drawn(0), 0)
    question = {
        "mysql": "SELECT table_name, column_name, column_comment FROM information_schema.columns "
        "WHERE table_schema = DATABASE()",
        "postgresql": "SELECT table_name, column_name, col_description(table_name::regclass, ordinal_position) "
        "FROM information_schema.columns WHERE table_schema = current_schema()",
    }[kind]
    with server.reading() as session:
        found = {(table, column): text for table, column, text in session.rows(question)}
    told = PUBLISHED if kind == "mysql" else PUBLISHED | PUBLISHED_VIEWS  # a view of MySQL takes no comments
    assert {place: text for place, text in found.items() if place[0] in told} == {
        (table.name, name): column.meaning for table in told.values() for name, column in table.columns.items()
    }


def test_a_table_where_a_view_must_be_is_left_alone(server: Database) -> None:
    publish(server, drawn(0), 0)
    before = state(server)["customer_segments"]
    with server.writing() as session:
        session.execute("CREATE TABLE copied AS SELECT * FROM customer_segments")
        session.execute("DROP VIEW customer_segments")
        session.execute("ALTER TABLE copied RENAME TO customer_segments")
    try:
        with pytest.raises(ValueError, match="customer_segments must be a view to publish; it is a table"):
            publish(server, drawn(1), 1)
        assert state(server)["customer_segments"] == before
    finally:
        with server.writing() as session:
            session.execute("DROP TABLE customer_segments")


def test_moments_keep_their_microseconds(server: Database) -> None:
    with server.writing() as session:
        publish_segments(session, drawn(0), at=NOON + timedelta(microseconds=123456))
    assert state(server)["customer_segment_runs"][0][5].microsecond == 123456
