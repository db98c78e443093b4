"""The statistics of `portrait`, measured on canonical tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.compute

from aisle.sources.simulated.parameters import FIRST_DAY
from aisle.tables import UNDEFINED

ABSENT_WEEKS = (1, 36, 48, 88)
"""200608, 200643, 200703 and 200743, counted from 0: weeks the real data lacks, and so no simulation is measured on."""
Measured = dict[str, float]
Numbers = npt.NDArray[np.float64]


def measure(tables: Mapping[str, pyarrow.Table]) -> dict[str, Measured]:
    """Name of the statistic -> label -> value, for all of `portrait.STATISTICS` and `portrait.FLAT`.

    ``tables`` are customers, stores, products, baskets and lines, whole; the baskets are those of a grocery whose weeks
    are those of the portrait.
    """
    baskets, lines = receipts(tables)
    customers = customer_habits(baskets, tables["customers"].to_pandas())
    return {
        "baskets per customer": _quantiles(customers["baskets"], (25, 50, 75, 90, 95))
        | {"mean": customers["baskets"].mean(), "one basket (%)": 100 * (customers["baskets"] == 1).mean()},
        "lines per basket": _quantiles(baskets["lines"], (50, 95, 99))
        | _logs(baskets["lines"])
        | _shares(baskets["lines"]),
        "spend per basket": _quantiles(baskets["spend"], (10, 25, 50, 75, 90, 95, 99)) | _logs(baskets["spend"]),
        "gaps between visits": _gaps(baskets),
        "kinds of basket": _kinds(baskets),
        "store formats": _shares(baskets["store_format"])
        | {f"stores {code}": share for code, share in _shares(tables["stores"]["store_format"].to_pandas()).items()},
        "hours": _shares(baskets["hour"]),
        "lifestages": _shares(customers["lifestage"].fillna("none")) | _shares(customers["price_sensitivity"]),
        "popularity of products": _popularity(lines),
        "prices": _prices(lines),
        "weekdays": _weekdays(baskets),
        "regions": {"eta2 spend": eta_squared(baskets["spend"], baskets["store_region"])},
        "trend": _trend(baskets),
        "festivals": _festivals(baskets),
        "what lifestage explains": _explained(customers, "lifestage"),
        "what price sensitivity explains": _explained(customers, "price_sensitivity"),
    }


def receipts(tables: Mapping[str, pyarrow.Table]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Baskets with their totals, day, week and store, and their lines, whose ``basket`` is the index of the first."""
    baskets, lines = _baskets(tables), _lines(tables)
    totals = lines.groupby("basket").agg(lines=("items", "size"), items=("items", "sum"), spend=("spend", "sum"))
    baskets = baskets.join(totals)
    kept = ~baskets["week"].isin(ABSENT_WEEKS)
    return baskets[kept], lines[kept.to_numpy()[lines["basket"]]]


def customer_habits(baskets: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """One row per customer who came: counts, means, shares of codes, hours and stores, beside the customer's codes."""
    carded = baskets[baskets["customer_id"].notna()]
    by_customer = carded.groupby("customer_id", sort=True)
    habits = by_customer.agg(
        baskets=("spend", "size"),
        spend=("spend", "sum"),
        mean_spend=("spend", "mean"),
        spread_of_spend=("spend", "std"),
        mean_lines=("lines", "mean"),
        mean_items=("items", "mean"),
        hour=("hour", "mean"),
        spread_of_hours=("hour", "std"),
        stores=("store_id", "nunique"),
        first=("day", "min"),
        last=("day", "max"),
    )
    visits = carded.groupby("customer_id")["store_id"].value_counts()
    habits["main_store"] = visits.groupby("customer_id").max() / habits["baskets"]
    for column in ("basket_size", "basket_type", "dominant_mission", "price_sensitivity", "store_format"):
        shares = pd.crosstab(carded["customer_id"], carded[column], normalize="index")
        habits = habits.join(shares.drop(columns=UNDEFINED, errors="ignore").add_prefix(f"{column} "))
    return habits.join(customers.set_index("customer_id"))


def eta_squared(values: pd.Series, groups: pd.Series) -> float:
    """Share of the variance of ``values`` that is between ``groups``, 0..1; rows without a group are left out."""
    values = values[groups.notna()]
    means = values.groupby(groups[groups.notna()]).transform("mean")
    return float(means.var() / values.var())


def _baskets(tables: Mapping[str, pyarrow.Table]) -> pd.DataFrame:
    columns = ["basket_id", "customer_id", "store_id", "shopped_at", "basket_size", "basket_type", "dominant_mission"]
    baskets = tables["baskets"].select([*columns, "price_sensitivity"]).to_pandas()
    baskets["hour"] = baskets["shopped_at"].dt.hour
    baskets["day"] = (baskets["shopped_at"].dt.normalize() - pd.Timestamp(FIRST_DAY)).dt.days
    baskets["week"] = baskets["day"] // 7
    placed: pd.DataFrame = baskets.merge(tables["stores"].to_pandas(), on="store_id", how="left")
    return placed


def _lines(tables: Mapping[str, pyarrow.Table]) -> pd.DataFrame:
    lines = tables["lines"]
    return pd.DataFrame(
        {
            "basket": pyarrow.compute.index_in(lines["basket_id"], value_set=tables["baskets"]["basket_id"]).to_numpy(),
            "product": pyarrow.compute.index_in(
                lines["product_id"], value_set=tables["products"]["product_id"]
            ).to_numpy(),
            "items": lines["quantity"].to_numpy(),
            "spend": lines["spend"].cast(pyarrow.float64()).to_numpy(),
        }
    )


def _quantiles(values: pd.Series, percents: Sequence[int]) -> Measured:
    return {f"p{percent:02}": float(values.quantile(percent / 100)) for percent in percents}


def _logs(values: pd.Series) -> Measured:
    logs = np.log(values.clip(lower=0.01))
    return {"mean": float(values.mean()), "log mean": float(logs.mean()), "log sd": float(logs.std())}


def _shares(values: pd.Series) -> Measured:
    return {str(label): float(share) for label, share in values.value_counts(normalize=True).items()}


def _gaps(baskets: pd.DataFrame) -> Measured:
    days = (
        baskets[baskets["customer_id"].notna()].groupby(["customer_id", "day"], sort=True).size().reset_index(name="n")
    )
    gaps = days["day"].diff()[days["customer_id"] == days["customer_id"].shift()].astype(int)
    return {"mean": float(gaps.mean()), "2 baskets a day": float((days["n"] > 1).mean())} | (
        _quantiles(gaps, (50,)) | _shares(gaps)
    )


def _kinds(baskets: pd.DataFrame) -> Measured:
    kinds = _shares(baskets["dominant_mission"])
    kinds["undefined"] = kinds.pop(UNDEFINED, 0.0)
    types = _shares(baskets["basket_type"])
    types.pop(UNDEFINED, None)
    no_card = {"no card": float(baskets["customer_id"].isna().mean())}
    return kinds | types | _shares(baskets["basket_size"]) | _shares(baskets["price_sensitivity"]) | no_card


def _popularity(lines: pd.DataFrame) -> Measured:
    counts = np.sort(np.bincount(lines["product"]))[::-1]
    return {f"top {rank}": float(counts[:rank].sum() / counts.sum()) for rank in (10, 50, 100, 500, 1000, 2500)}


def _prices(lines: pd.DataFrame) -> Measured:
    each = (lines["spend"] / lines["items"]).groupby(lines["product"])
    prices, lowest, highest = each.median(), each.min(), each.max()
    weighed = prices.index[highest - lowest > 0.01]
    return (
        _quantiles(prices, (5, 25, 50, 75, 95))
        | _logs(prices)
        | {
            "spend per line": float(lines["spend"].mean()),
            "items per line": float(lines["items"].mean()),
            "one item": float((lines["items"] == 1).mean()),
            "three items": float((lines["items"] == 3).mean()),
            "by weight": float(lines["product"].isin(weighed).mean()),
        }
    )


def _weekdays(baskets: pd.DataFrame) -> Measured:
    shares = _shares(baskets["day"] % 7).values()
    spend = baskets["spend"].groupby(baskets["day"] % 7).mean()
    return {"rarest": min(shares), "commonest": max(shares), "spend ratio": float(spend.max() / spend.min())}


def _trend(baskets: pd.DataFrame) -> Measured:
    weeks = baskets.groupby("week").size()
    return {"last against first quarter": float(weeks.tail(13).mean() / weeks.head(13).mean())}


def _festivals(baskets: pd.DataFrame) -> Measured:
    weeks = baskets.groupby("week").size()
    usual = weeks.median()
    monday = pd.Timestamp(FIRST_DAY) + pd.to_timedelta(weeks.index * 7, unit="D")
    found = {}
    for name, month, day in (("25 December", 12, 25), ("1 January", 1, 1)):
        holidays = [start for start in monday for step in range(7) if _is(start + pd.Timedelta(days=step), month, day)]
        found[name] = float(weeks[monday.isin(holidays)].mean() / usual)
    return found


def _is(moment: pd.Timestamp, month: int, day: int) -> bool:
    return moment.month == month and moment.day == day


def _explained(customers: pd.DataFrame, column: str) -> Measured:
    known = customers[customers["lifestage"].notna() & (customers["price_sensitivity"] != UNDEFINED)]
    values = {
        "log baskets": np.log(known["baskets"]),
        "log spend": np.log(known["spend"].clip(lower=0.01)),
        "log mean spend": np.log(known["mean_spend"].clip(lower=0.01)),
        "log mean lines": np.log(known["mean_lines"]),
        "Fresh": known["dominant_mission Fresh"],
        "LA": known["price_sensitivity LA"],
        "UM": known["price_sensitivity UM"],
        "LS": known["store_format LS"],
    }
    return {label: eta_squared(value, known[column]) for label, value in values.items()}
