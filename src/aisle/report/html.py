"""HTML in which nothing can be forgotten to be escaped: all text is, but what these functions have made."""

import base64
import html
import math
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aisle.report.room import characters, step
from aisle.tables import LIFESTAGES

_EMPTY: Final = frozenset({"img", "meta"})
DASH: Final = "\N{EN DASH}"
"""Stands where a number is undefined."""


class Html(str):
    """Text that is HTML already. All other text is escaped where it is put in."""

    __slots__ = ()


def fragment(*children: object) -> Html:
    """The children side by side; text is escaped.

    >>> fragment("a < b", Html("<br>"))
    'a &lt; b<br>'
    """
    return Html("".join(child if isinstance(child, Html) else html.escape(str(child)) for child in children))


def element(tag: str, /, *children: object, **attributes: object) -> Html:
    """An element; ``class_`` is the attribute class, ``data_x`` is data-x, None leaves an attribute out.

    >>> element("p", "fish & chips", class_="lead", id=None)
    '<p class="lead">fish &amp; chips</p>'
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    opened = f"<{tag}{told}>"
    return Html(opened if tag in _EMPTY else f"{opened}{fragment(*children)}</{tag}>")


@dataclass(frozen=True)
class Cell:
    """A cell: what it shows, and the number it is sorted by; NaN sorts last. Without a number, its text sorts it."""

    shown: object
    number: float | None = None


def numeric(rows: Sequence[Sequence[object]], width: int) -> list[bool]:
    """Which of the ``width`` columns are numbers: those whose every cell has one."""
    return [bool(rows) and all(_is_number(row[place]) for row in rows) for place in range(width)]


def _is_number(cell: object) -> bool:
    return isinstance(cell, Cell) and cell.number is not None


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """A table that the page's script makes sortable. A column is set as numbers if all its cells have one.

    Where the columns have no room side by side, every cell is a line that begins with the name of its column.
    """
    body = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    numbers = numeric(body, len(head))
    apart = step(characters(head, [[text(cell) for cell in row] for row in body], numbers))

    def part(tag: str, role: str, *children: object, **attributes: object) -> Html:
        return element(tag, *children, **attributes, role=None if apart is None else role)

    headed = (
        part("th", "columnheader", name, scope="col", class_="number" if is_number else None)
        for name, is_number in zip(head, numbers, strict=True)
    )
    lines = (
        part(
            "tr",
            "row",
            *(
                part(
                    "th" if place == 0 else "td",
                    "rowheader" if place == 0 else "cell",
                    _breakable(cell.shown),
                    scope="row" if place == 0 else None,
                    class_="number" if numbers[place] else None,
                    data_sort=None if cell.number is None else "" if math.isnan(cell.number) else f"{cell.number:.12g}",
                    data_column=None if apart is None else head[place],
                )
                for place, cell in enumerate(row)
            ),
        )
        for row in body
    )
    made = part(
        "table",
        "table",
        element("caption", element("span", caption)),
        part("thead", "rowgroup", part("tr", "row", *headed)),
        part("tbody", "rowgroup", *lines),
        class_=None if apart is None else f"apart-{apart}",
    )
    return element("div", made, class_="scroll", role="region", aria_label=caption, tabindex="0")


@dataclass(frozen=True)
class Grid:
    """A table before it is drawn, on the page or on a slide; its cells are what `table` takes."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]


def drawn(grid: Grid) -> Html:
    """The table on the page."""
    return table(grid.caption, grid.head, grid.rows)


def text(shown: object) -> str:
    """What a cell, HTML or anything else says, without marks.

    >>> text(Cell(element("b", "fish & chips"), 2.0)), text("a < b")
    ('fish & chips', 'a < b')
    """
    inner = shown.shown if isinstance(shown, Cell) else shown
    return html.unescape(re.sub(r"<[^>]*>", "", inner)).strip() if isinstance(inner, Html) else str(inner)


def _breakable(shown: object) -> object:
    """Text whose long names may break after an underscore."""
    if isinstance(shown, Html) or not isinstance(shown, str):
        return shown
    first, *rest = shown.split("_")
    return fragment(first, *(fragment("_", Html("<wbr>"), part) for part in rest))


@dataclass(frozen=True)
class Picture:
    """The bytes of a PNG or SVG file."""

    content: bytes

    @property
    def is_png(self) -> bool:
        """Whether it is PNG; SVG otherwise."""
        return self.content.startswith(b"\x89PNG")

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels, None where the file does not say."""
        if self.is_png:
            return struct.unpack(">II", self.content[16:24])
        found = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.content[:2000])
        return (round(float(found[1]) * 4 / 3), round(float(found[2]) * 4 / 3)) if found else None

    @property
    def address(self) -> str:
        """The picture itself as an address, so that the page needs no other file."""
        kind = "png" if self.is_png else "svg+xml"
        return f"data:image/{kind};base64,{base64.b64encode(self.content).decode()}"


def figure(picture: Picture | None, alt: str, caption: str) -> Html:
    """A picture that the page's script lets grow; nothing where there is none."""
    if picture is None:
        return Html("")
    width, height = picture.size or (None, None)
    drawn = element("img", src=picture.address, alt=alt, width=width, height=height, decoding="async")
    return element("figure", drawn, element("figcaption", caption))


def folded(summary: str, *children: object) -> Html:
    """Something to open; printed open."""
    return element("details", element("summary", summary), *children)


def listed(sentences: Iterable[object]) -> Html:
    """A list of sentences."""
    return element("ul", *(element("li", sentence) for sentence in sentences))


def listed_sources(sources: Sequence[str]) -> str:
    """The artifacts in one line.

    >>> listed_sources(["a.csv", "b/c.csv"])
    'artifacts/a.csv, artifacts/b/c.csv'
    """
    return ", ".join(f"artifacts/{source}" for source in sources)


def section(identity: str, title: str, *children: object, sources: Sequence[str] = ()) -> Html:
    """A section that the contents of the page lead to; ``sources`` are the artifacts that its numbers are from."""
    told = element("p", "Numbers from ", element("code", listed_sources(sources)), class_="source") if sources else ""
    return element("section", element("h2", title), *children, told, id=identity)


def absent(sentence: str) -> Html:
    """Why something is left out."""
    return element("p", sentence, class_="absent")


def lifestage(code: str) -> str:
    """A lifestage as people call it, with its code.

    >>> lifestage("PE"), lifestage("all")
    ('Pensioners (PE)', 'all')
    """
    return f"{LIFESTAGES[code].capitalize()} ({code})" if code in LIFESTAGES else code


def plain(feature: str) -> str:
    """A column's name in words; a single letter is a size.

    >>> plain("item_count_mean"), plain("basket_size_l_share")
    ('item count mean', 'basket size L share')
    """
    return " ".join(word.upper() if len(word) == 1 else word for word in feature.split("_"))


def number(value: float) -> str:
    """Three digits, more before the point; a dash where it is undefined.

    >>> [number(value) for value in (1234.5, 94.625, 0.5087, 2.0)], number(float("nan")) == DASH
    (['1,234', '94.6', '0.509', '2'], True)
    """
    if not math.isfinite(value):
        return DASH
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return f"{value:.4f}".rstrip("0").rstrip(".") if "e" in text else text


def percent(share: float) -> str:
    """A share without decimals; a dash where it is undefined.

    >>> percent(.521), percent(float("nan")) == DASH
    ('52%', True)
    """
    return f"{share:.0%}" if math.isfinite(share) else DASH


def score(value: float) -> Cell:
    """A score with two decimals, never a zero below zero.

    >>> score(-0.001).shown
    '0.00'
    """
    return Cell(f"{round(value, 2) + 0.0:.2f}" if math.isfinite(value) else DASH, value)


def capital(sentence: str) -> str:
    """With its first letter a capital.

    >>> capital("young adults"), capital("")
    ('Young adults', '')
    """
    return sentence[:1].upper() + sentence[1:]


def ended(sentence: str) -> str:
    """With a full stop.

    >>> ended("So it is"), ended("So it is.")
    ('So it is.', 'So it is.')
    """
    return sentence if sentence.endswith(".") else f"{sentence}."


def words(names: Sequence[str]) -> str:
    """A list in a sentence.

    >>> words(["a", "b", "c"]), words(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
