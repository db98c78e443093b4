"""Files in and out, atomic, the contract checked on read; and the candidate store."""

from aisle.storage.calibration import Draw, Draws
from aisle.storage.candidates import (
    CandidateRecord,
    CandidateStore,
    candidate_key,
    code_digest,
    describe,
    neighbours_key,
)
from aisle.storage.evidence import dossier_key, judgement_key, read_dossier, read_judgement, write_dossier
from aisle.storage.features import read_features, write_features
from aisle.storage.files import (
    digest,
    read_arrow,
    read_json,
    read_table,
    whole_file,
    whole_folder,
    write_arrow,
    write_csv,
    write_figure,
    write_frame,
    write_json,
    write_parts,
    write_table,
)
from aisle.storage.rebuilding import rebuilt
from aisle.storage.rules import read_rules, write_rules

__all__ = [
    "CandidateRecord",
    "CandidateStore",
    "Draw",
    "Draws",
    "candidate_key",
    "code_digest",
    "describe",
    "digest",
    "dossier_key",
    "judgement_key",
    "neighbours_key",
    "read_arrow",
    "read_dossier",
    "read_features",
    "read_json",
    "read_judgement",
    "read_rules",
    "read_table",
    "rebuilt",
    "whole_file",
    "whole_folder",
    "write_arrow",
    "write_csv",
    "write_dossier",
    "write_features",
    "write_figure",
    "write_frame",
    "write_json",
    "write_parts",
    "write_rules",
    "write_table",
]
