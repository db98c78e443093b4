"""The files of Olist: found, opened and read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow

from aisle.sources.csv_files import CsvFile, CsvForm, find_csv
from aisle.sources.kinds import COUNT, ID, MOMENT, MONEY, TEXT

_PRODUCT_OTHERS = (
    "product_name_lenght",
    "product_description_lenght",
    "product_photos_qty",
    "product_weight_g",
    "product_length_cm",
    "product_height_cm",
    "product_width_cm",
)
_FORMS: Mapping[str, CsvForm] = {
    "customers": CsvForm(
        {"customer_id": ID, "customer_unique_id": ID},
        frozenset({"customer_zip_code_prefix", "customer_city", "customer_state"}),
    ),
    "orders": CsvForm(
        {"order_id": ID, "customer_id": ID, "order_status": ID, "order_purchase_timestamp": MOMENT},
        frozenset(
            {
                "order_approved_at",
                "order_delivered_carrier_date",
                "order_delivered_customer_date",
                "order_estimated_delivery_date",
            }
        ),
    ),
    "order_payments": CsvForm(
        {"order_id": ID, "payment_sequential": COUNT, "payment_value": MONEY},
        frozenset({"payment_type", "payment_installments"}),
    ),
    "order_items": CsvForm(
        {"order_id": ID, "order_item_id": COUNT, "product_id": ID, "seller_id": ID, "price": MONEY},
        frozenset({"shipping_limit_date", "freight_value"}),
    ),
    "products": CsvForm({"product_id": ID, "product_category_name": TEXT}, frozenset(_PRODUCT_OTHERS)),
    "sellers": CsvForm({"seller_id": ID, "seller_state": TEXT}, frozenset({"seller_zip_code_prefix", "seller_city"})),
    "translation": CsvForm({"product_category_name": ID, "product_category_name_english": ID}),
}
"""The columns of each file as published; a file with further ones is another format, and refused."""

_NAMES = {
    **{table: f"olist_{table}_dataset.csv" for table in _FORMS if table != "translation"},
    "translation": "product_category_name_translation.csv",
}
_OPTIONAL = "translation"


@dataclass(frozen=True)
class OlistFile:
    """One of the published files."""

    table: str
    file: CsvFile

    def __str__(self) -> str:
        return str(self.file)

    def parts(self) -> Iterator[pyarrow.Table]:
        """See `aisle.sources.csv_files.CsvFile.parts`."""
        return self.file.parts(_FORMS[self.table])

    def rows(self, key: str) -> pyarrow.Table:
        """All rows, sorted by ``key``; see `aisle.sources.csv_files.CsvFile.rows`."""
        return self.file.rows(_FORMS[self.table], key)


def find_olist(path: Path) -> dict[str, OlistFile]:
    """The files in the folder or archive ``path``, by table.

    Raises:
        FileNotFoundError: there is nothing, or one of the six files is missing.
        ValueError: a file is there twice.
    """
    found = find_csv(path, "Olist's files")
    named = {table: [file for file in found if file.name.removesuffix(".gz") == name] for table, name in _NAMES.items()}
    missing = [_NAMES[table] for table, files in named.items() if not files and table != _OPTIONAL]
    if missing:
        raise FileNotFoundError(
            f"{path}: needs Olist's files; missing {missing} among {[file.name for file in found]}."
        )
    for table, files in named.items():
        if len(files) > 1:
            raise ValueError(f"{path}: {_NAMES[table]} must be there once; got {list(map(str, files))}, take one away.")
    return {table: OlistFile(table, files[0]) for table, files in named.items() if files}
