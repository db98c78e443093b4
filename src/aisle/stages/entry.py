"""A study -> a dated entry on top of the lab book; its numbers come from the run, its words from a person."""

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from aisle.calibration import Summary
from aisle.calibration import entry as calibration_entry
from aisle.documents import between_part, findings_entry, frame_part, lab_entry, verdict_part
from aisle.git import commit
from aisle.selection import selection_from_json
from aisle.storage import read_arrow, read_json, whole_file

log = logging.getLogger(__name__)

CALIBRATION = "calibration"
"""The study whose results are no candidates but draws."""
_MARKER = "<!-- entries: newest first -->\n"


def run(
    *,
    study: Path,
    verdicts: Path,
    replication: Path,
    title: str,
    command: str,
    remark: str,
    tables: Sequence[str],
    rows: int,
    answers: Sequence[str],
    book: Path,
    calibration: Path,
) -> None:
    """Put an entry for the study in folder ``study`` on top of ``book``.

    ``tables`` are CSV files of that folder, of which the first ``rows`` are shown, ``answers`` JSON files of it whose
    ``sentences`` are told. Where ``verdicts`` and ``replication`` are of this study, the entry tells them. The study of
    promotions has no candidates; its entry tells its own answers. That of the study of `calibration` is made from this
    file, which its stage writes.

    Raises:
        ValueError: the book has no place for entries, or a file of ``answers`` has no sentences.
    """
    study, book = Path(study), Path(book)
    text = book.read_text(encoding="utf-8")
    if text.count(_MARKER) != 1:
        raise ValueError(f"{book} must hold the line {_MARKER.strip()} once; entries go below it.")
    said = {"day": date.today().isoformat(), "title": title, "commit": _commit(book), "command": command}
    if study.name == CALIBRATION:
        entry = calibration_entry(_calibrated(Path(calibration)), remark=remark, **said)
    elif (study / "usefulness.csv").exists():
        entry = findings_entry(
            **said,
            summary=read_json(study / "summary.json"),
            tables=[_usefulness(study), *(frame_part(_table(study / name).head(rows)) for name in tables)],
            remark=remark,
        )
    else:
        entry = lab_entry(
            **said,
            study=read_json(study / "candidates.json"),
            board=read_arrow(study / "leaderboard.parquet").to_pandas(),
            tables=[_table(study / name).head(rows) for name in tables],
            verdict=_verdict(study, Path(verdicts), Path(replication)),
            answers=[sentence for name in answers for sentence in _sentences(study / name)],
            remark=remark,
        )
    with whole_file(book) as part:
        part.write_text(text.replace(_MARKER, f"{_MARKER}\n{entry}"), encoding="utf-8")
    log.info("%s: %s", book, title)


def _calibrated(path: Path) -> Summary:
    if not path.exists():
        raise FileNotFoundError(f"{path} is needed and missing; run make calibration.")
    try:
        return Summary.of_json(read_json(path))
    except (KeyError, TypeError):
        raise ValueError(f"{path} must hold the results of make calibration; it does not.") from None


def _verdict(study: Path, verdicts: Path, replication: Path) -> str:
    """The verdicts on this study; empty where there are none."""
    if not verdicts.exists():
        return ""
    selection = selection_from_json(read_json(verdicts), str(verdicts))
    if selection.study.get("study") != study.name:
        return ""
    found = (
        _table(replication) if replication.exists() else pd.DataFrame(columns=["lifestage", "halves", "replication"])
    )
    return "\n\n".join([verdict_part(selection, found), " ".join(selection.overall)])


def _usefulness(study: Path) -> str:
    """How well later outcomes are foreseen, as stage=promotions found it."""
    numbers = {"auc": ".2f", "lift": ".2f", "gain": ".4f", "over_lifestage": ".4f", "captured": ".0%"}
    return between_part(_table(study / "usefulness.csv"), ["outcome", "predictor"], numbers)


def _sentences(path: Path) -> list[str]:
    told = read_json(path).get("sentences")
    if not isinstance(told, list) or not told:
        raise ValueError(f"{path} must hold sentences, as the summary of stage=two_level does; it has none.")
    return [str(sentence) for sentence in told]


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is needed and missing; run the stage that writes it.") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError):
        raise ValueError(f"{path} must be a CSV file with a header; it is not one.") from None


def _commit(book: Path) -> str:
    """The commit of the working directory, with a plus where more than the book has changed; "none" without git."""
    found = commit(apart_from=book)
    return "none" if found is None else f"{found.digest[:10]}{'+' * found.changed}"
