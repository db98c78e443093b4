"""What the data were, what was dropped from them, and how to come to the same report again."""

from typing import Final

import pandas as pd

from aisle.report.html import Cell, Html, absent, element, lifestage, plain, section, table
from aisle.report.material import Material

SOURCES: Final = ("extract/summary.json", "extract/filters.csv")
HOW: Final = (
    "The published data and every step, from the repository: ",
    "make reproduce",
    ". Step by step, with the source and the overrides that were used:",
)
DIGESTED: Final = (
    "The data digest is the SHA-256 of the fetched tables' fingerprint; the configuration digest that of the declared "
    "rule, the thresholds and the names of all candidates. Every number is read from the artifacts; equal artifacts "
    "give the same report again, to the byte."
)
_STAGES = (
    "fetch",
    "fingerprint",
    "extract",
    "features",
    "STUDY",
    "evidence study={study}",
    "select study={study}",
    "differences",
    "segments study={study}",
    "compare",
    "report study={study}",
)


_OF_STORES = (
    "stage=features features=stores",
    "-cd experiments -cn stores hydra/launcher=joblib",
    "stage=evidence study=stores paths=study evidence=quick",
    "stage=select study=stores paths=study evidence=quick",
    "stage=stores",
)


def quality_section(material: Material) -> Html:
    """Customers and baskets, what the filters and the source's cleaning dropped, what the source does not know."""
    title = "Data quality"
    if material.extract is None:
        return section("data", title, absent("Left out: stage=extract has not been run."))
    found = material.extract
    told: list[Html] = [
        element(
            "p",
            f"{found['basket_count']:,} baskets of {found['customer_count']:,} customers, {found['first_day']} to "
            f"{found['last_day']}.",
        )
    ]
    if found["absent"]:
        names = ", ".join(plain(name) for name in found["absent"])
        told.append(element("p", f"The source does not know {names}; features made from them are left out."))
    rows = [
        [lifestage(code), _count(of["customer_count"]), _count(of["basket_count"])]
        for code, of in found["lifestages"].items()
    ]
    told.append(table("The extract", ["lifestage", "customers", "baskets"], rows))
    if material.filters is not None:
        head = ["filter", "baskets", "customers"]
        rows = [
            [row["filter"], _count(row["basket_count"]), _count(row["customer_count"])]
            for row in material.filters.to_dict("records")
        ]
        told.append(table("What the extract left out, in the order of the filters", head, rows))
    told.append(_dirt(material.dirt))
    return section("data", title, *told, sources=SOURCES)


def _dirt(dirt: pd.DataFrame | None) -> Html:
    if dirt is None:
        return absent("What the source's cleaning dropped is not known here: there is no table dirt.")
    rows = [[row["table"], row["rule"], row["action"], _count(row["row_count"])] for row in dirt.to_dict("records")]
    return table("What the source's cleaning did", ["table", "rule", "action", "rows"], rows)


def _count(value: int) -> Cell:
    return Cell(f"{value:,}", float(value))


def digests(material: Material) -> list[tuple[str, str]]:
    """What the result is of: the digests of the data and of the configuration, where they are known."""
    told = [("Data", material.data_digest), ("Configuration", material.configuration_digest)]
    return [(f"{name} digest", digest) for name, digest in told if digest]


def commands(material: Material) -> list[str]:
    """Every step from the source to this report."""
    study = str(material.selection.study.get("study", "")) if material.selection else ""
    study = study or next((one.name for one in material.studies), "method_grid")
    told = [
        f"-cd experiments -cn {study} hydra/launcher=joblib"
        if stage == "STUDY"
        else f"stage={stage.format(study=study)}"
        for stage in _STAGES
    ]
    if material.stores is not None:
        told[-1:-1] = _OF_STORES
    if material.promotions is not None:
        told[-1:-1] = ["-cd experiments -cn promotions"]
    return [f"python -m aisle {one}" for one in told]


def reproduce_section(material: Material) -> Html:
    """Digests and commands."""
    facts = digests(material)
    return section(
        "reproduce",
        "How to reproduce",
        element("p", HOW[0], element("code", HOW[1]), HOW[2]),
        element(
            "pre", element("code", "\n".join(commands(material))), tabindex="0", role="region", aria_label="Commands"
        ),
        element(
            "dl",
            *(part for name, digest in facts for part in (element("dt", name), element("dd", element("code", digest)))),
        )
        if facts
        else "",
        element("p", DIGESTED),
    )
