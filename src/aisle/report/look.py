"""The looks of the page: one column on a phone, contents beside it on a desk, light and dark, and on paper."""

from typing import Final

from aisle.report.room import STEPS

SEGMENTS: Final = (
    ("0072b2", "ffffff"),
    ("d55e00", "111111"),
    ("009e73", "111111"),
    ("cc79a7", "111111"),
    ("e69f00", "111111"),
    ("56b4e9", "111111"),
    ("332288", "ffffff"),
    ("999999", "111111"),
)
"""Colours of segments 0 to 7 and of what is written on them; the colour-blind can tell them apart."""
_PIECES: Final = "\n".join(
    f".s{place} {{ background: #{paper}; color: #{ink}; }}" for place, (paper, ink) in enumerate(SEGMENTS)
)
_RULES: Final = """
:root {
  --paper: #fdfcfa; --ink: #1f2328; --soft: #5b6370; --line: #e3e0da; --panel: #f5f3ee; --link: #005a8f;
  --good: #00694d; --good-paper: #e0f2ec; --fair: #7a4a00; --fair-paper: #fbeed5; --cold: #47506a;
  --cold-paper: #e8eaf2; --best: #0b4f8a; --best-paper: #dfecf8;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #15181c; --ink: #e7e6e3; --soft: #a4abb6; --line: #30353c; --panel: #1d2126; --link: #7cc4f5;
    --good: #7fdcbb; --good-paper: #12352b; --fair: #f3c679; --fair-paper: #3a2c10; --cold: #bcc4dc;
    --cold-paper: #272c3a; --best: #9accf7; --best-paper: #122f49;
  }
}
* { box-sizing: border-box; }
html {
  color-scheme: light dark; scroll-behavior: smooth; scroll-padding-top: 1.5rem;
  -webkit-text-size-adjust: 100%;
}
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: break-word;
  font: 1rem/1.6 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif;
}
main { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem 4rem; }
section { padding-top: 3.5rem; }
article { padding-top: 1.75rem; }
h1, h2, h3 { line-height: 1.25; font-weight: 650; letter-spacing: -.01em; }
h1 { font-size: clamp(1.8rem, 1.4rem + 1.6vw, 2.3rem); margin: .25rem 0 1.25rem; }
h2 { font-size: 1.6rem; margin: 0 0 1rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.125rem; margin: 0 0 .6rem; }
p, ul, dl { margin: 0 0 1rem; max-width: 44rem; }
li { margin-bottom: .4rem; }
a { color: var(--link); }
code, pre { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: .85em; overflow-wrap: anywhere; }
pre { background: var(--panel); padding: 1rem; border-radius: .5rem; white-space: pre-wrap; line-height: 1.7; }
dt { font-weight: 600; }
dd { margin: 0 0 .6rem; color: var(--soft); }
small, .small, .source, .kicker, figcaption, caption { color: var(--soft); font-size: .875rem; }
.absent { color: var(--soft); border-left: 3px solid var(--line); padding-left: .75rem; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; z-index: 2; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }

nav ul {
  list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0 auto; max-width: 60rem;
  padding: 1rem 1.25rem 0;
}
nav li { margin: 0; }
nav a { color: var(--soft); text-decoration: none; font-size: .9rem; display: inline-block; padding: .25rem 0; }
nav a:hover { color: var(--link); text-decoration: underline; }

.answer { padding-top: 1.5rem; display: grid; gap: 1rem 2rem; }
.kicker { margin: 0; letter-spacing: .02em; }
.lead { font-size: 1.2rem; line-height: 1.5; }
figure { margin: 1.5rem 0 2rem; }
figure img { max-width: 100%; height: auto; display: block; background: #fff; border-radius: .5rem; padding: .5rem; }
figcaption { margin-top: .5rem; max-width: 44rem; line-height: 1.45; }
.zoom {
  border: 0; padding: 0; background: none; cursor: zoom-in; display: block; max-width: 100%;
  border-radius: .5rem;
}

.bars { margin: 0; }
.bars .lifestage {
  display: grid; grid-template-columns: 5.2rem minmax(0, 1fr); gap: .3rem .5rem; align-items: center;
  padding: .7rem 0;
}
.bars h3 { grid-column: 1 / -1; margin: 0; font-size: 1rem; }
.bars .names { grid-column: 2; margin: 0; font-size: .875rem; color: var(--soft); line-height: 1.4; }
.bar { display: flex; height: 1.6rem; border-radius: .3rem; overflow: hidden; gap: 2px; }
.bar-title { font-size: .8125rem; color: var(--soft); }
.piece { font-size: .8125rem; line-height: 1.6rem; text-align: center; white-space: nowrap; min-width: 2px; }
.none { background: repeating-linear-gradient(45deg, #cfd2d6 0 4px, #bbbfc5 4px 8px); color: #111; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .5em; }
.pill {
  display: inline-block; font-size: .8125rem; font-weight: 600; letter-spacing: 0; padding: .1rem .6rem;
  border-radius: 1rem; white-space: nowrap; background: var(--cold-paper); color: var(--cold);
}
.pill.separated { background: var(--best-paper); color: var(--best); }
.pill.reproducible { background: var(--good-paper); color: var(--good); }
.pill.constructive { background: var(--fair-paper); color: var(--fair); }

.scroll {
  container-type: inline-size; overflow-x: auto; margin: 0 0 1.5rem; background:
    linear-gradient(to right, var(--paper) 1.5rem, transparent) left / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--paper) 1.5rem, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to right, var(--line), transparent) left / .6rem 100% no-repeat,
    linear-gradient(to left, var(--line), transparent) right / .6rem 100% no-repeat;
}
table {
  border-collapse: collapse; width: 100%; font-size: .9375rem; font-variant-numeric: tabular-nums;
  line-height: 1.4;
}
caption { text-align: left; padding-bottom: .5rem; }
caption span { position: sticky; left: 0; display: inline-block; max-width: min(44rem, calc(100vw - 2rem)); }
th, td {
  text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line);
  font-weight: 400;
}
td:last-child, th:last-child { padding-right: .25rem; }
thead th { border-bottom: 2px solid var(--line); vertical-align: bottom; color: var(--soft); font-size: .8125rem; }
.number { text-align: right; }
td small { font-size: .88em; }
.number + :where(:not(.number)) { padding-left: .4rem; }
tr > .number:first-child { text-align: left; }
td.number, tbody th.number { white-space: nowrap; }
thead button { all: unset; cursor: pointer; padding: .25rem 0; }
thead button:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
thead button:hover { color: var(--link); }
th[aria-sort] button { color: var(--ink); font-weight: 600; }
th[aria-sort=ascending] button::after { content: ' \\2191'; }
th[aria-sort=descending] button::after { content: ' \\2193'; }

details { border-bottom: 1px solid var(--line); margin-bottom: .25rem; }
summary { cursor: pointer; padding: .6rem 0; color: var(--link); }
details[open] { padding-bottom: .75rem; }
details + .scroll { margin-top: 1.5rem; }

dialog {
  border: 0; padding: 3.5rem 1rem 1rem; width: 100vw; height: 100dvh; max-width: none; max-height: none;
  background: var(--paper);
}
dialog > button {
  position: fixed; top: .75rem; right: 1rem; font: inherit; padding: .35rem 1rem; border-radius: 2rem;
  border: 1px solid var(--line); background: var(--panel); color: var(--ink); cursor: pointer;
}
.room { overflow: auto; height: 100%; }
.room img { background: #fff; display: block; margin: auto; padding: .5rem; }

@media (max-width: 34rem) {
  main { padding: 0 1rem 3rem; }
  nav ul { padding: 0 1rem; }
  table { font-size: .82rem; }
  th, td { padding-right: .35rem; }
  thead th { font-size: .76rem; }
  td .pill { padding: .1rem .35rem; font-size: .74rem; }
  nav ul { gap: 0 .8rem; padding-top: .6rem; }
  nav a { font-size: .84rem; padding: .1rem 0; }
  section { padding-top: 2.25rem; }
  .bars .lifestage { grid-template-columns: 4.9rem minmax(0, 1fr); }
}
@media screen and (min-width: 75rem) {
  body { display: grid; grid-template-columns: 14rem minmax(0, 1fr); }
  nav ul { position: sticky; top: 0; flex-direction: column; padding: 2.25rem 0 0 2rem; gap: .35rem; }
  main { margin: 0; max-width: 68rem; padding: 0 3rem 6rem 2rem; }
  .answer { grid-template: auto 1fr / minmax(0, 28rem) minmax(0, 1fr); gap: 0 3.5rem; align-items: start; }
  .answer .bars { grid-area: 1 / 2 / 3 / 3; padding-top: 2.2rem; }
}
@media print {
  nav, .skip, dialog { display: none; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  .piece, .pill, .dot { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, h3, caption { break-after: avoid; }
  figure, tr, .lifestage { break-inside: avoid; }
  figure img { max-height: 22cm; width: auto; }
  .scroll { overflow: visible; }
  summary { color: var(--ink); font-weight: 600; }
  a { color: inherit; }
}
"""
_APART: Final = """
@container (max-width: {below}rem) {{
  {table}, {table} caption, {table} thead, {table} tbody, {table} tr, {table} th, {table} td {{ display: block; }}
  {table} thead:not(:has(button)) {{ display: none; }}
  {table} thead tr {{ display: flex; flex-wrap: wrap; gap: 0 .9rem; border-bottom: 2px solid var(--line); }}
  {table} thead tr::before {{ content: 'Sort by'; color: var(--soft); font-size: .8125rem; padding: .25rem 0; }}
  {table} thead th {{ border: 0; padding: 0; }}
  {table} thead button {{ text-decoration: underline dotted; text-underline-offset: .2em; }}
  {table} tbody tr {{
    display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); column-gap: 2rem;
    padding: .5rem 0; border-bottom: 1px solid var(--line);
  }}
  {table} tbody th, {table} tbody td {{
    border: 0; padding: .1rem 0 .1rem 10em; text-align: left; white-space: normal; overflow-wrap: anywhere;
  }}
  {table} tbody th {{ font-weight: 600; grid-column: 1 / -1; }}
  {table} tbody th::before, {table} tbody td::before {{
    content: attr(data-column); float: left; width: 9.5em; margin-left: -10em; color: var(--soft); font-weight: 400;
  }}
  {table} tbody td:empty {{ display: none; }}
  {table} tbody th::after, {table} tbody td::after {{ content: ''; display: block; clear: left; }}
  @media print {{ {table} thead {{ display: none; }} }}
}}
"""
_TAKEN_APART: Final = "".join(_APART.format(below=below, table=f".apart-{below}") for below in STEPS)
STYLE: Final = f"{_RULES}{_TAKEN_APART}{_PIECES}\n"
