"""The whole page: one file that needs no other and no network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aisle.report.advice import advice_section
from aisle.report.answer import five_sentences, kicker, segment_bars
from aisle.report.behaviour import SCRIPT
from aisle.report.data import quality_section, reproduce_section
from aisle.report.evidence import evidence_section
from aisle.report.html import Html, element
from aisle.report.lifestages import comparison_section
from aisle.report.look import STYLE
from aisle.report.material import Material
from aisle.report.methods import methods_section
from aisle.report.promotions import promotion_section
from aisle.report.replication import replication_section
from aisle.report.segments import segment_section
from aisle.report.stores import store_section
from aisle.report.studies import study_section
from aisle.report.verdicts import verdict_section

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


@dataclass(frozen=True)
class Part:
    """A section: its id, its name in the contents, and what makes it."""

    identity: str
    title: str
    make: Callable[[Material], Html]


def _answer(material: Material) -> Html:
    lead, *others = five_sentences(material)
    first = element(
        "div",
        element("p", kicker(material), class_="kicker"),
        element("h1", "Customer segments"),
        element("p", lead, class_="lead"),
        class_="first",
    )
    words = element("div", *(element("p", sentence) for sentence in others), class_="words")
    return element("section", first, segment_bars(material), words, id="answer", class_="answer")


PARTS: Final = (
    Part("answer", "The answer", _answer),
    Part("verdicts", "Verdicts", verdict_section),
    Part("segments", "Segments", segment_section),
    Part("lifestages", "Lifestages", comparison_section),
    Part("replication", "Over time", replication_section),
    Part("stores", "Stores", store_section),
    Part("promotions", "Promotions", promotion_section),
    Part("next", "What to do", advice_section),
    Part("methods", "Methods", methods_section),
    Part("evidence", "Evidence", evidence_section),
    Part("studies", "Studies", study_section),
    Part("data", "Data quality", quality_section),
    Part("reproduce", "Reproduce", reproduce_section),
)
"""The sections in their order; a new one is a line here."""


def page(material: Material) -> str:
    """The report as HTML. Equal material gives equal text."""
    sections = [part.make(material) for part in PARTS]
    links = (element("li", element("a", part.title, href=f"#{part.identity}")) for part in PARTS)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="color-scheme", content="light dark"),
        element("title", "Customer segments"),
        element("style", Html(STYLE)),
    )
    body = element(
        "body",
        element("a", "Skip to the answer", href="#answer", class_="skip"),
        element("nav", element("ul", *links), aria_label="Contents"),
        element("main", *sections),
        element("script", Html(SCRIPT)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"
