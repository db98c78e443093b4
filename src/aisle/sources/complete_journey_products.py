"""The product tree of The Complete Journey: strict, complete, and with groups as coarse as dunnhumby's."""

from importlib import resources

import numpy as np
import pandas as pd

GROUPS_FILE = "complete_journey_groups.csv"
"""department, product_category -> product_group, division. An empty category stands for products without one."""
FUEL = "Fuel"
EXCLUDED = "Excluded"
"""The division of what is not part of a grocery basket: fuel, and what is no merchandise."""


def groups() -> pd.DataFrame:
    """The packaged mapping; every column is text, one row per department and category of the data."""
    with resources.files("aisle.sources").joinpath(GROUPS_FILE).open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False)


def product_tree(products: pd.DataFrame, mapping: pd.DataFrame) -> pd.DataFrame:
    """product_id (as in the package), product_class, department, product_group, division; rows as in ``products``.

    The class is the package's product_type, the department its product_category; group and division come from
    ``mapping``, and fuel that the registers booked elsewhere is fuel. A level that is empty in the data takes the name
    of the level above it (for a category: the package's department), and a name found below several parents is followed
    by its parent in brackets, so that every name has one parent.

    Raises:
        ValueError: a department and category are not in ``mapping``.
    """
    named = products[["product_id", "department", "product_category", "product_type"]].fillna({"product_category": ""})
    known = named.merge(mapping, on=["department", "product_category"], how="left", validate="many_to_one")
    if known["product_group"].isna().any():
        first = known.loc[known["product_group"].isna(), ["department", "product_category"]].iloc[0].tolist()
        raise ValueError(f"{GROUPS_FILE} must map every department and product_category; {first} is missing, add it.")
    fuel = known["product_type"].str.startswith("GASOLINE", na=False)
    group = known["product_group"].mask(fuel, FUEL)
    division = known["division"].mask(fuel, EXCLUDED)
    category = known["product_category"].where(known["product_category"] != "", known["department"])
    department = _one_parent(category, group)
    product_class = _one_parent(known["product_type"].fillna(department), department)
    return pd.DataFrame(
        {
            "product_id": known["product_id"].to_numpy(np.int64),
            "product_class": product_class,
            "department": department,
            "product_group": group,
            "division": division,
        }
    )


def _one_parent(names: pd.Series, parents: pd.Series) -> pd.Series:
    """``names``, followed by the parent where one name has several.

    >>> _one_parent(pd.Series(["SOUP", "SOUP", "TEA"]), pd.Series(["Cans", "Natural", "Drinks"])).tolist()
    ['SOUP (Cans)', 'SOUP (Natural)', 'TEA']
    """
    ambiguous = parents.groupby(names).transform("nunique") > 1
    return names.mask(ambiguous, names + " (" + parents + ")")
