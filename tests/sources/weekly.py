"""Small weekly files in the published form of "Let's Get Sort-of-Real", for several test modules."""

from pathlib import Path

import pandas as pd

COLUMNS = [
    "SHOP_WEEK",
    "SHOP_DATE",
    "SHOP_WEEKDAY",
    "SHOP_HOUR",
    "QUANTITY",
    "SPEND",
    "PROD_CODE",
    "PROD_CODE_10",
    "PROD_CODE_20",
    "PROD_CODE_30",
    "PROD_CODE_40",
    "CUST_CODE",
    "CUST_PRICE_SENSITIVITY",
    "CUST_LIFESTAGE",
    "BASKET_ID",
    "BASKET_SIZE",
    "BASKET_PRICE_SENSITIVITY",
    "BASKET_TYPE",
    "BASKET_DOMINANT_MISSION",
    "STORE_CODE",
    "STORE_FORMAT",
    "STORE_REGION",
]
_PRODUCT = {"PROD_CODE_10": "CL00001", "PROD_CODE_20": "DEP00001", "PROD_CODE_30": "G00001", "PROD_CODE_40": "D00001"}
_CODES = {
    "BASKET_SIZE": "S",
    "BASKET_PRICE_SENSITIVITY": "MM",
    "BASKET_TYPE": "Small Shop",
    "BASKET_DOMINANT_MISSION": "Fresh",
}


def line(**values: object) -> dict[str, object]:
    """A line of the first week, with ``values`` in place of its own."""
    store = {"STORE_CODE": "STORE1", "STORE_FORMAT": "LS", "STORE_REGION": "N01"}
    when = {"SHOP_WEEK": 200607, "SHOP_DATE": 20060410, "SHOP_WEEKDAY": 2, "SHOP_HOUR": 14}
    bought = {"QUANTITY": 1, "SPEND": "1.10", "PROD_CODE": "P1", **_PRODUCT}
    who = {"CUST_CODE": "C1", "CUST_PRICE_SENSITIVITY": "LA", "CUST_LIFESTAGE": "YF", "BASKET_ID": "b1"}
    return {**when, **bought, **who, **_CODES, **store, **values}


def week(number: int, **values: object) -> dict[str, object]:
    """A line of the week ``number``, 0 being the first, in a basket of its own."""
    day = (pd.Timestamp("2006-04-10") + pd.Timedelta(weeks=number)).strftime("%Y%m%d")
    return line(**{"SHOP_WEEK": 200607 + number, "SHOP_DATE": day, "BASKET_ID": f"b{number}", **values})


def text(*lines: dict[str, object]) -> str:
    """The file of these lines."""
    return str(pd.DataFrame(list(lines), columns=COLUMNS, dtype=object).to_csv(index=False))


def write(path: Path, *lines: dict[str, object]) -> Path:
    """The file of these lines at ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(*lines), encoding="utf-8")
    return path
