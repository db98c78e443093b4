"""The words of names: what a segment is called whose mean of a feature is above or below that of its lifestage.

All words are meant beside the lifestage: "seldom" is less often than the others of the lifestage.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Words(NamedTuple):
    """A feature's words. Features of one ``topic`` say much the same, so a name takes words of a topic once."""

    topic: str
    high: str
    low: str


_SIZE, _RHYTHM, _MISSION, _PRICE, _VALUE = "size of shops", "rhythm", "mission", "price", "value"

WORDS: Final[Mapping[str, Words]] = {
    "basket_count": Words(_RHYTHM, "often", "seldom"),
    "frequency": Words(_RHYTHM, "often", "seldom"),
    "gap_days_mean": Words(_RHYTHM, "seldom", "often"),
    "gap_days_min": Words(_RHYTHM, "no visits close together", "visits close together"),
    "gap_days_max": Words(_RHYTHM, "long pauses", "no long pauses"),
    "recency_days": Words("recency", "long not seen", "seen lately"),
    "tenure_days": Words("tenure", "customers for long", "new customers"),
    "monetary": Words(_VALUE, "high spend", "low spend"),
    "spent": Words(_VALUE, "high spend", "low spend"),
    "item_count_mean": Words(_SIZE, "large shops", "small shops"),
    "product_count_mean": Words(_SIZE, "large varied shops", "small shops of few products"),
    "spend_mean": Words(_SIZE, "high spend a visit", "low spend a visit"),
    "spend_max": Words("largest shop", "at times a very large bill", "no very large bill"),
    "quantity_std_mean": Words("quantities", "several pieces of some products", "single pieces"),
    "basket_size_s_share": Words(_SIZE, "small shops", "fewer small shops"),
    "basket_size_m_share": Words(_SIZE, "medium shops", "fewer medium shops"),
    "basket_size_l_share": Words(_SIZE, "large shops", "fewer large shops"),
    "basket_size_s_max": Words(_SIZE, "at times a small shop", "fewer with a small shop"),
    "basket_size_m_max": Words(_SIZE, "at times a medium shop", "fewer with a medium shop"),
    "basket_size_l_max": Words(_SIZE, "at times a large shop", "fewer with a large shop"),
    "basket_type_small_shop_share": Words(_SIZE, "small quick shops", "fewer quick shops"),
    "basket_type_top_up_share": Words(_SIZE, "top-up shops", "fewer top-up shops"),
    "basket_type_full_shop_share": Words(_SIZE, "large full shops", "fewer full shops"),
    "basket_type_small_shop_max": Words(_SIZE, "at times a quick shop", "fewer with a quick shop"),
    "basket_type_top_up_max": Words(_SIZE, "at times a top-up shop", "fewer with a top-up shop"),
    "basket_type_full_shop_max": Words(_SIZE, "at times a full shop", "fewer with a full shop"),
    "dominant_mission_fresh_share": Words(_MISSION, "more fresh food", "less fresh food"),
    "dominant_mission_grocery_share": Words(_MISSION, "more groceries", "fewer groceries"),
    "dominant_mission_mixed_share": Words(_MISSION, "a bit of everything", "fewer mixed shops"),
    "dominant_mission_nonfood_share": Words(_MISSION, "more non-food", "less non-food"),
    "dominant_mission_fresh_max": Words(_MISSION, "at times fresh food only", "fewer with fresh food only"),
    "dominant_mission_grocery_max": Words(_MISSION, "at times groceries only", "fewer with groceries only"),
    "dominant_mission_mixed_max": Words(_MISSION, "at times a bit of everything", "fewer with a bit of everything"),
    "dominant_mission_nonfood_max": Words(_MISSION, "at times non-food only", "fewer with non-food only"),
    **{
        name: Words(_PRICE, high, low)
        for code, high, low in (
            ("LA", "budget products", "fewer budget products"),
            ("MM", "mid-priced products", "fewer mid-priced products"),
            ("UM", "premium products", "fewer premium products"),
        )
        for name in (f"price_sensitivity_{code}", f"basket_price_sensitivity_{code.lower()}_share")
    },
    **{
        f"basket_price_sensitivity_{code}_max": Words(
            _PRICE, f"at times {kind} products", f"fewer with {kind} products"
        )
        for code, kind in (("la", "budget"), ("mm", "mid-priced"), ("um", "premium"))
    },
}
"""The words of the features of `aisle.features`; product groups have theirs by their name, see `words_of`."""

_GROUP = "mix_"


def words_of(feature: str, more: Mapping[str, Words] | None = None) -> Words:
    """The words of a feature: those of ``more``, else of `WORDS`; one that neither knows has its name in it.

    >>> words_of("basket_count").low, words_of("mix_fresh_meat").high, words_of("dogs_owned").low
    ('seldom', 'more fresh meat', 'low dogs owned')
    """
    known = (more or {}).get(feature) or WORDS.get(feature)
    if known is not None:
        return known
    plain = " ".join(feature.removeprefix(_GROUP).replace("_", " ").split()) or feature
    if feature.startswith(_GROUP):
        return Words(feature, f"more {plain}", f"less {plain}")
    return Words(feature, f"high {plain}", f"low {plain}")
