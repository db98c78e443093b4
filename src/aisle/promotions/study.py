"""The whole study of promotions: from purchases, mailings and what was known on each day to its tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from aisle.matching import following
from aisle.partition import NOISE
from aisle.promotions.buying import BUYING, buying
from aisle.promotions.campaigns import CAMPAIGNS, Studied
from aisle.promotions.discount_use import DISCOUNT_USE, discount_use
from aisle.promotions.earlier_segments import Dated, Recipe
from aisle.promotions.plan import PLAN, TrialRule, plan
from aisle.promotions.predictors import LEVELS, TYPE, predictions
from aisle.promotions.purchases import Purchases, day_of
from aisle.promotions.receiving import EFFECTS, effects_of_receiving
from aisle.promotions.response_shares import EVERYBODY, RESPONSES, response_shares
from aisle.promotions.responses import responses
from aisle.promotions.rivals import Question
from aisle.promotions.rule import EffectRule
from aisle.promotions.timeline import Snapshot, Timeline, periods, timeline
from aisle.promotions.usefulness import USEFULNESS, Answer, answer, usefulness

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "campaigns": CAMPAIGNS,
    "responses": RESPONSES,
    "effects": EFFECTS,
    "usefulness": USEFULNESS,
    "discounts": DISCOUNT_USE,
    "buying": BUYING,
    "plan": PLAN,
}
"""The tables of the study, and their columns."""
NO_CAMPAIGNS: Final = (
    "The source has no campaigns: who responds to what, what receiving one changes and which type suits whom cannot be "
    "told; the rest needs none."
)
NO_DISCOUNTS: Final = "The source does not tell discounts: how segments use them cannot be told."
METHOD: Final = (
    "Memberships come from the weeks before each day. Which method a lifestage has was chosen on all weeks, without "
    "looking at any response."
)


@dataclass(frozen=True, eq=False)
class Settings:
    """What is declared before the study. Weeks are full weeks; ``draws`` are resamples of households.

    ``rates`` and ``ceiling`` map "share" and "number" to the scikit-learn estimators of a boolean outcome and of a
    number. A day is predicted from at least ``fewest_outcomes`` of either outcome before it; groups of fewer than
    ``fewest_customers`` get no share.
    """

    weeks_before: int
    next_weeks: int
    placebo_weeks: int
    fewest_outcomes: int
    fewest_customers: int
    rates: Mapping[str, Any]
    ceiling: Mapping[str, Any]
    effect: EffectRule
    trial: TrialRule
    false_discovery_rate: float
    confidence: float
    draws: int
    seed: int

    def __post_init__(self) -> None:
        least = {"weeks_before": 2, "next_weeks": 1, "placebo_weeks": 1, "fewest_outcomes": 1, "fewest_customers": 2}
        for name, floor in {**least, "draws": 100}.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < floor:
                raise ValueError(f"stage.settings.{name} must be a whole number of at least {floor}; got {value!r}.")
        if self.placebo_weeks >= self.weeks_before - 1:
            raise ValueError(
                "stage.settings.placebo_weeks must leave two weeks of weeks_before to know customers by; got "
                f"{self.placebo_weeks} of {self.weeks_before}."
            )
        for name in ("confidence", "false_discovery_rate"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"stage.settings.{name} must be above 0 and below 1; got {getattr(self, name)!r}.")


@dataclass(frozen=True, eq=False)
class Found:
    """The tables of the study, by name, the answers, and the sentences on what is left out.

    ``questions`` are what was foreseen, ``segments`` those of every day.
    """

    tables: Mapping[str, pd.DataFrame]
    answers: tuple[Answer, ...]
    notes: tuple[str, ...]
    questions: tuple[Question, ...]
    segments: Mapping[date, Dated]


def study(
    purchases: Purchases,
    chosen: Studied | None,
    snapshots: Mapping[date, Snapshot],
    recipes: Mapping[str, Recipe],
    starts: list[date],
    *,
    published: pd.DataFrame,
    sizes: pd.DataFrame,
    habits: pd.DataFrame,
    settings: Settings,
) -> Found:
    """What segments respond to and whether they are useful.

    ``snapshots`` are of the first days of all campaigns in ``chosen`` and of the periods that begin on ``starts``;
    ``published`` labels name the segments of today, ``sizes`` and ``habits`` are what stage=segments writes of them.
    """
    days = timeline(snapshots, recipes, purchases, chosen.everything if chosen else None)
    names = published_numbers(days, published)
    following_periods = periods(purchases, starts, weeks_before=settings.weeks_before, next_weeks=settings.next_weeks)
    notes = [METHOD, *_missing(days)]
    mailed: pd.DataFrame | None = None
    responded, effects = _empty("responses"), _empty("effects")
    if chosen is None:
        notes.append(NO_CAMPAIGNS)
    else:
        notes += chosen.notes
        mailed = responses(chosen.mailings, chosen.everything, purchases, weeks_before=settings.weeks_before)
        if len(mailed):
            groups = _named(days.levels(mailed), names).assign(**{EVERYBODY: "all"})
            responded = response_shares(
                mailed, groups, draws=settings.draws, confidence=settings.confidence, seed=settings.seed
            )
            effects = effects_of_receiving(
                mailed,
                groups,
                chosen.mailings,
                chosen.everything,
                purchases,
                rule=settings.effect,
                placebo_weeks=settings.placebo_weeks,
                weeks_before=settings.weeks_before,
                seed=settings.seed,
            )
    questions = _questions(mailed, following_periods)
    measured = [_use(question, days, settings) for question in questions]
    used = pd.concat([_empty("usefulness"), *measured], ignore_index=True)
    cheap = _discounts(purchases, published, settings)
    if not purchases.discounts_known:
        notes.append(NO_DISCOUNTS)
    bought = buying(
        published,
        purchases,
        fewest_buyers=settings.fewest_customers,
        false_discovery_rate=settings.false_discovery_rate,
    )
    planned = plan(
        sizes,
        buying=bought,
        habits=habits,
        discounts=cheap,
        responses=responded,
        effects=effects,
        spend=_spend(following_periods, published),
        rule=settings.trial,
        confidence=settings.confidence,
        seed=settings.seed,
    )
    tables = {
        "campaigns": _empty("campaigns") if chosen is None else chosen.table,
        "responses": responded,
        "effects": effects,
        "usefulness": used,
        "discounts": cheap,
        "buying": bought,
        "plan": planned,
    }
    told = {"redeemed": "who redeems a coupon of a later campaign"}
    told |= {"spend": f"what is spent in the next {settings.next_weeks} weeks"}
    told |= {"lapsed": f"who does not come back in the next {settings.next_weeks} weeks"}
    answers = tuple(answer(used, question.name, told[question.name]) for question in questions)
    return Found(tables, answers, tuple(notes), tuple(questions), days.segments)


def published_numbers(days: Timeline, published: pd.DataFrame) -> dict[str, str]:
    """The name ("YA 0") by which a segment of the timeline is published today, by the name it has there.

    It is that of the published segment which shares most customers with it on the last day, one to one; names only are
    taken from there. A segment that no published one follows is called "YA earlier 3".
    """
    newest = [days.segments[day].labels for day in sorted(days.segments, reverse=True)]
    last = pd.concat(newest, ignore_index=True).drop_duplicates(["customer_id", "lifestage"])
    found: dict[str, str] = {}
    for lifestage, own in last[last["segment"] != NOISE].groupby("lifestage", sort=True):
        today = published[published["lifestage"] == lifestage]
        there = set(today.loc[today["segment"] != NOISE, "segment"])
        inside = today.loc[today["segment"] != NOISE, "customer_id"]
        shared = own["customer_id"].isin(inside).any()
        named = following(own, today)["segment"] if shared else own["segment"] + 1 + max(there, default=0)
        for before, now in sorted({*zip(own["segment"], named, strict=True)}):
            found[f"{lifestage} {before}"] = f"{lifestage} {now}" if now in there else f"{lifestage} earlier {before}"
    return found


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(TABLES[name])).astype(dict(TABLES[name]))


def _named(levels: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    return levels.assign(segment=levels["segment"].map(lambda name: names.get(name, name)))


def _missing(days: Timeline) -> list[str]:
    """Why a lifestage had no segments on some days: the first reason of each."""
    reasons: dict[str, tuple[date, str]] = {}
    for day, dated in days.segments.items():
        for lifestage, why in dated.missing.items():
            reasons.setdefault(lifestage, (day, why))
    return [f"{lifestage}: no segments on {day}: {why}" for lifestage, (day, why) in reasons.items()]


def _questions(mailed: pd.DataFrame | None, later: pd.DataFrame) -> list[Question]:
    asked = []
    if mailed is not None and len(mailed):
        received = mailed[mailed["received"].astype(bool)].reset_index(drop=True)
        asked.append(Question("redeemed", received.astype({"redeemed": bool}), "share"))
    if len(later):
        asked.append(Question("spend", later, "number"))
        asked.append(Question("lapsed", later.astype({"lapsed": bool}), "share"))
    return asked


def _use(question: Question, days: Timeline, settings: Settings) -> pd.DataFrame:
    rows = pd.concat(
        [question.rows[["customer_id", "start_date", "end_date", TYPE, question.name]], days.levels(question.rows)],
        axis=1,
    )
    predicted = predictions(
        rows,
        question.name,
        levels=LEVELS,
        numbers=days.numbers(question.rows),
        rates=settings.rates[question.kind],
        ceiling=settings.ceiling[question.kind],
        fewest=settings.fewest_outcomes,
    )
    return usefulness(
        question.name,
        rows[question.name],
        predicted,
        rows["customer_id"],
        draws=settings.draws,
        confidence=settings.confidence,
        seed=settings.seed,
    )


def _discounts(purchases: Purchases, published: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    groups = published.drop_duplicates("customer_id").set_index("customer_id")
    told = pd.DataFrame(
        {
            EVERYBODY: "all",
            "lifestage": groups["lifestage"],
            "segment": groups["lifestage"] + " " + groups["segment"].astype("str").replace(f"{NOISE}", "none"),
        }
    )
    if not purchases.discounts_known:
        told = told.iloc[:0]
    used = purchases.discount_use(day_of(purchases.first_day), day_of(purchases.last_day) + 1)
    return discount_use(
        used,
        told,
        fewest=settings.fewest_customers,
        draws=settings.draws,
        confidence=settings.confidence,
        seed=settings.seed,
    )


def _spend(later: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """By segment of today: mean spend per week, and the deviation of its change from one period to the next."""
    if later.empty:
        return pd.DataFrame(columns=["mean", "deviation"], dtype="float64")
    money = later.assign(money=np.expm1(later["spend"].astype("float64")))
    wide = money.pivot(index="customer_id", columns="start_date", values="money")
    changes = wide.diff(axis=1).melt(ignore_index=False)["value"].dropna()
    groups = published.drop_duplicates("customer_id").set_index("customer_id")
    name = groups["lifestage"] + " " + groups["segment"].astype("str")
    by = name.reindex(wide.index)
    return pd.DataFrame(
        {
            "mean": wide.mean(axis=1).groupby(by).mean(),
            "deviation": changes.groupby(by.reindex(changes.index).to_numpy()).std(),
        }
    )
