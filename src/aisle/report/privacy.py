"""Which segments are too few customers to be shown."""

import pandas as pd


def hidden_segments(sizes: pd.DataFrame | None, floor: int) -> frozenset[tuple[str, int]]:
    """Lifestage and number of the segments that are not shown; -1 are the customers in no segment.

    Those are the segments with fewer than ``floor`` customers. What is said of a lifestage and of its other segments
    also says what the hidden ones are together; so while these are fewer than ``floor``, the next smallest segment is
    hidden as well. ``sizes`` has lifestage, segment and customer_count.

    >>> sizes = pd.DataFrame({"lifestage": "YA", "segment": [0, 1, 2], "customer_count": [90, 30, 4]})
    >>> sorted(hidden_segments(sizes, 10))
    [('YA', 1), ('YA', 2)]
    """
    hidden = []
    for lifestage, rows in (sizes if sizes is not None else pd.DataFrame({"lifestage": []})).groupby("lifestage"):
        together = 0
        for count, segment in sorted(zip(rows["customer_count"], -rows["segment"], strict=True)):
            if count >= floor and not 0 < together < floor:
                break
            together += count
            hidden.append((str(lifestage), int(-segment)))
    return frozenset(hidden)
