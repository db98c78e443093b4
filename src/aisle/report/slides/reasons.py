"""The slides of how lifestages compare, why the result is what it is, what to do with it, and how to make it again."""

from collections.abc import Iterator

from aisle.evidence import SEPARATED
from aisle.report import advice, data, lifestages, methods, promotions, stores, studies, verdicts
from aisle.report.answer import alike, methods_chosen, names
from aisle.report.html import Grid, ended, listed_sources, words
from aisle.report.material import Material
from aisle.report.slides.slide import Slide

_NOT_FORESEEN = "That segments foresee more than lifestage alone cannot be told."


def lifestage_slides(material: Material) -> Iterator[Slide]:
    """Whether lifestages differ, with the heatmap or, where it would show too much, the nearest segments."""
    title = alike(material)
    if material.comparison is None or not title:
        return
    answer = str((material.comparison.get("answer") or {}).get("sentence", ""))
    picture = None if material.veiled else material.bitmaps.get("compare/heatmap")
    grid = None if picture else lifestages.nearest_grid(material, "common")
    yield Slide(
        "Lifestages",
        title,
        _after(answer),
        grids=(grid,) if grid and grid.rows else (),
        picture=picture,
        alt=lifestages.HEATMAP,
        source=listed_sources(lifestages.SOURCES[:1]),
        notes=(lifestages.TRAPS, *material.comparison["notes"]),
    )


def _after(answer: str) -> tuple[str, ...]:
    """What the answer says after its first sentence, which is the title."""
    _, _, rest = answer.partition(". ")
    return (rest,) if rest else ()


def kind_slides(material: Material) -> Iterator[Slide]:
    """The kinds of segments over all lifestages."""
    found = lifestages.kinds(material)
    if not found:
        return
    count = sum(map(len, found))
    alone = sum(len(own) == 1 for own in found)
    title = f"Over all lifestages the {count} segments are {len(found)} kind{'s' * (len(found) > 1)}"
    title += f", {alone} of them in one lifestage only." if alone else "."
    source = listed_sources(lifestages.SOURCES[:1])
    yield Slide("Lifestages", title, grids=(lifestages.kind_grid(material),), source=source)


def store_slides(material: Material) -> Iterator[Slide]:
    """Whether formats of stores differ, and whether segments of stores are the formats."""
    if material.stores is None or not material.stores.summary["sentences"]:
        return
    title, *others = material.stores.summary["sentences"]
    grid = stores.format_grid(material.stores)
    source = listed_sources(stores.SOURCES)
    yield Slide("Stores", ended(title), tuple(others), (grid,) if grid.rows else (), source=source)


def promotion_slides(material: Material) -> Iterator[Slide]:
    """What segments foresee of later responses, and what to send to whom."""
    found = material.promotions
    if found is None:
        return
    told = [str(one["sentence"]) for one in found.summary["answers"]]
    useful = [promotions.FORESEEN[one["outcome"]] for one in found.summary["answers"] if one["useful"]]
    foreseen = f"Segments foresee {words(useful)} better than lifestage alone." if useful else _NOT_FORESEEN
    source = listed_sources(promotions.SOURCES)
    yield Slide("Promotions", foreseen, tuple(told), source=source)
    plan, known = promotions.plan_grid(material, found), promotions.known_to_pay(material, found)
    if plan.rows:
        title = (
            f"For {known or 'none'} of {len(plan.rows)} segments it is known that what is sent pays; trials would tell."
        )
        shown = [column for column, name in enumerate(plan.head) if name != promotions.BASIS]
        rows = [[row[column] for column in shown] for row in plan.rows]
        grid = Grid(plan.caption, [plan.head[column] for column in shown], rows)
        yield Slide("Promotions", title, grids=(grid,), source=source)


def method_slides(material: Material) -> Iterator[Slide]:
    """The methods across lifestages: their ranks, and their scores."""
    told = methods.across(material)
    leaders = methods.leader_grid(material)
    picture = material.bitmaps.get("select/methods")
    if not told or (picture is None and not leaders.rows):
        return
    title, *others = sorted(told, key=lambda sentence: "ranked above" not in sentence)
    source = listed_sources(methods.sources(material))
    if picture is not None:
        yield Slide("Methods", title, tuple(others), picture=picture, alt=methods.RANKS, source=source)
    if leaders.rows:
        best = leaders.rows[0][0]
        title = f"By score alone {best} would lead; a higher score does not make a better class."
        yield Slide("Methods", title, grids=(leaders,), source=source)


def choice_slides(material: Material) -> Iterator[Slide]:
    """Why the chosen method was chosen."""
    grid = methods.choice_grid(material)
    if grid.rows:
        source, notes = listed_sources(methods.sources(material)[:1]), (methods.declared_rule(material),)
        yield Slide("Methods", methods_chosen(material), grids=(grid,), source=source, notes=notes)


def study_slides(material: Material) -> Iterator[Slide]:
    """What every study asked, expected and found."""
    for study in material.studies:
        asked = {"Question": study.question, "Hypothesis": study.hypothesis}
        title, _, rest = studies.finding(study, material).partition(". ")
        told = [f"{name}. {what}" for name, what in asked.items() if what]
        told += [rest] if rest else []
        counts = ", ".join(f"{count} {status}" for status, count in sorted(study.status_counts.items()))
        told.append(f"Candidates: {counts or 'none'}.")
        source = listed_sources([f"{study.name}/candidates.json"])
        yield Slide(f"Study {study.name}", ended(title), tuple(told), source=source)


def advice_slides(material: Material) -> Iterator[Slide]:
    """What to do next."""
    told = advice.what_to_do(material)
    if told and material.selection is not None:
        separated = [v.lifestage for v in material.selection.verdicts if v.evidence_class == SEPARATED]
        use = "segments for targeting, no further than their class goes."
        title = f"Address {names(separated)} by type; use the other {use}" if separated else f"Use the {use}"
        yield Slide("What to do", title, tuple(told), source=listed_sources(verdicts.SOURCES[:1]))


def limit_slides(material: Material) -> Iterator[Slide]:
    """What the study does not say."""
    told = advice.what_is_not_said(material)
    if told:
        title = "What was not seen, and what was not asked, cannot be told from this study."
        yield Slide("Limits", title, tuple(told), source=listed_sources(verdicts.SOURCES[:1]))


def missing_slides(material: Material) -> Iterator[Slide]:
    """Which stages and studies were not run."""
    there = {
        "select": material.selection,
        "segments": material.sizes,
        "compare": material.comparison,
        "differences": material.differences,
        "stores": material.stores,
        "promotions": material.promotions,
        "extract": material.extract,
    }
    told = [f"stage={name} has not been run." for name, result in there.items() if result is None]
    told += [f"{name}: the study has not been run." for name in material.missing_studies]
    if told:
        yield Slide("Left out", "Some results are left out, as their stages have not been run.", tuple(told))


def reproduce_slides(material: Material) -> Iterator[Slide]:
    """How to come to the same result."""
    facts = tuple(f"{name}: {digest}" for name, digest in data.digests(material))
    yield Slide(
        "Reproduce",
        f"Every number can be made again with {data.HOW[1]}, or step by step.",
        facts,
        commands=tuple(data.commands(material)),
        notes=(data.DIGESTED,),
    )
