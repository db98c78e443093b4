"""The whole page: one file that needs no other and no network."""

from aisle.report.answer import five_sentences, segment_bars
from aisle.report.behaviour import SCRIPT
from aisle.report.data import quality_section, reproduce_section
from aisle.report.html import Html, element
from aisle.report.lifestages import comparison_section, study_section
from aisle.report.look import STYLE
from aisle.report.material import Material
from aisle.report.segments import replication_section, segment_section
from aisle.report.stores import store_section
from aisle.report.verdicts import methods_section, verdict_section

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_CONTENTS = {
    "answer": "The answer",
    "verdicts": "Verdicts",
    "segments": "Segments",
    "lifestages": "Lifestages",
    "replication": "Over time",
    "stores": "Stores",
    "methods": "Methods",
    "studies": "Studies",
    "data": "Data quality",
    "reproduce": "Reproduce",
}


def page(material: Material) -> str:
    """The report as HTML. Equal material gives equal text."""
    sections = (
        _answer(material),
        verdict_section(material),
        segment_section(material),
        comparison_section(material),
        replication_section(material),
        store_section(material),
        methods_section(material),
        study_section(material),
        quality_section(material),
        reproduce_section(material),
    )
    links = (element("li", element("a", title, href=f"#{identity}")) for identity, title in _CONTENTS.items())
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


def _answer(material: Material) -> Html:
    lead, *others = five_sentences(material)
    first = element(
        "div",
        element("p", _kicker(material), class_="kicker"),
        element("h1", "Customer segments"),
        element("p", lead, class_="lead"),
        class_="first",
    )
    words = element("div", *(element("p", sentence) for sentence in others), class_="words")
    return element("section", first, segment_bars(material), words, id="answer", class_="answer")


def _kicker(material: Material) -> str:
    told = []
    if material.selection and material.selection.study.get("study"):
        told.append(f"Study {material.selection.study['study']}")
    if material.extract:
        told.append(f"{material.extract['first_day']} to {material.extract['last_day']}")
    counts = [verdict.customer_count or 0 for verdict in material.selection.verdicts] if material.selection else []
    if sum(counts):
        told.append(f"{sum(counts):,} customers in {len(counts)} lifestage{'s' * (len(counts) > 1)}")
    return " · ".join(told)
