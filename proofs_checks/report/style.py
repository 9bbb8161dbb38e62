"""How the page of a report looks, and its parts in a notebook: light and dark, on a phone and on paper."""

CSS = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --muted: #5b6676; --line: #dde2e9; --soft: #eef1f5;
  --fails: #b3261e; --undecided: #8a5a00; --error: #8a2a9b; --known: #7a5c00; --holds: #146c3c; --quiet: #5b6676;
  --target: #c2410c; --spec: #93b4e6; --link: #1d56b8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10141b; --card: #181e28; --ink: #e4e9f1; --muted: #9aa6b8; --line: #303a49; --soft: #212936;
    --fails: #ff8a80; --undecided: #f3bd55; --error: #e29af0; --known: #e0c05c; --holds: #74d69a; --quiet: #9aa6b8;
    --target: #ff9d66; --spec: #3f68ad; --link: #8db8ff;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0; background: var(--page); color: var(--ink); line-height: 1.55; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 66rem; margin: 0 auto; padding: clamp(1rem, 4vw, 3rem); }
h1 { font-size: 1.05rem; font-weight: 600; color: var(--muted); margin: 0 0 1rem; }
h2 { font-size: clamp(1.3rem, 4.5vw, 1.75rem); line-height: 1.25; margin: 0 0 1rem; letter-spacing: -0.01em; }
h3 { font-size: 1.1rem; margin: 2.5rem 0 0.75rem; }
h4 { font-size: 1rem; margin: 0 0 0.25rem; }
p { margin: 0 0 0.75rem; }
a { color: var(--link); }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code, .mono { font-size: 0.92em; }
pre {
  margin: 0.25rem 0 0; padding: 0.75rem 1rem; background: var(--soft); border-radius: 0.5rem;
  font-size: 0.82rem; line-height: 1.5; overflow: auto; max-height: 32rem; overflow-wrap: normal;
}
.target { margin-top: 3.5rem; }
.target:first-of-type { margin-top: 0; }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem;
  padding: clamp(1rem, 3vw, 1.5rem); margin: 0 0 1rem;
}
.card > :first-child { margin-top: 0; }
.card > :last-child { margin-bottom: 0; }
.fails, .theorem { --tone: var(--fails); }
.undecided, .trajectory { --tone: var(--undecided); }
.error { --tone: var(--error); }
.known, .choice { --tone: var(--known); }
.holds { --tone: var(--holds); }
.not-run, .does-not-apply, .as-paper { --tone: var(--quiet); }
.verdict, .failure, .departure { border-left: 0.35rem solid var(--tone, var(--line)); }
.verdict { padding-block: 0.9rem; margin-bottom: 0.6rem; }
.verdict p:first-child { display: flex; font-size: 1.08rem; font-weight: 600; }
.verdict p + p { padding-left: 1.6rem; margin-bottom: 0.25rem; }
.lines { white-space: pre-wrap; }
.icon { display: inline-block; flex: none; width: 1.6rem; font-weight: 700; color: var(--tone); }
.departures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }
.departures .card { margin: 0; }
.departures p { margin-bottom: 0.4rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.6rem 2.25rem; margin: 1.25rem 0.25rem; }
.muted { color: var(--muted); }
.small { font-size: 0.88rem; }
.chip {
  display: inline-block; padding: 0.05rem 0.6rem; border-radius: 1rem; background: var(--soft);
  font-size: 0.8rem; font-weight: 500; color: var(--tone, var(--muted));
}
.chip.quiet { color: var(--muted); }
dl { margin: 0 0 0.75rem; display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.3rem 1.25rem; }
dt { color: var(--muted); }
dd { margin: 0; }
ul, ol { margin: 0.5rem 0 0.75rem; padding-left: 1.4rem; }
details { margin-top: 0.75rem; }
summary { cursor: pointer; color: var(--link); }
.box { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: 0.92rem; }
th, td { padding: 0.55rem 0.9rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--muted); font-weight: 600; font-size: 0.82rem; }
tbody th { font-weight: 400; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.checks td { white-space: nowrap; overflow-wrap: normal; }
.matrix th:first-child {
  position: sticky; left: 0; background: var(--card); min-width: 8rem; max-width: min(44vw, 20rem);
  border-right: 1px solid var(--line);
}
.matrix td, .matrix thead th { text-align: center; white-space: nowrap; overflow-wrap: normal; }
.matrix thead th:first-child { text-align: left; }
sup { line-height: 0; }
.matrix .icon { width: auto; }
.overall th, .overall td { background: var(--soft) !important; font-weight: 600; }
.box + .lines { margin-top: 0.75rem; }
.matrix sup a { text-decoration: none; padding: 0.3rem 0.15rem; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 1rem; }
.curves figure { margin: 0; min-width: 0; }
.curves figcaption { font-size: 0.88rem; font-weight: 600; margin-bottom: 0.25rem; }
.curves svg { display: block; width: 100%; height: auto; }
.key { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin-bottom: 1rem; }
.key span::before { content: ""; display: inline-block; width: 1.6rem; margin-right: 0.5rem; vertical-align: middle; }
.key .of-target::before { border-top: 2px solid var(--target); }
.key .of-spec::before { border-top: 6px solid var(--spec); border-radius: 3px; }
@media (max-width: 40rem) {
  dl:not(.facts) { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dl:not(.facts) dd { margin-bottom: 0.6rem; }
  .checks thead { display: none; }
  .checks tr { display: flex; flex-wrap: wrap; gap: 0.15rem 1rem; padding: 0.8rem 0; }
  .checks tr { border-top: 1px solid var(--line); }
  .checks tbody:first-of-type tr:first-child { border-top: 0; }
  .checks th, .checks td { border: 0; padding: 0 1rem; }
  .checks th { flex: 1 1 100%; }
  .checks .number { text-align: left; padding-right: 0; white-space: normal; }
  .checks .number:empty { display: none; }
  .checks .number::before { content: attr(data-label) " "; color: var(--muted); }
}
@media print {
  .card, .box, figure { break-inside: avoid; }
  pre { max-height: none; white-space: pre-wrap; }
}
"""

# The same for one element of a page that is not ours: a rule that is nested matches nothing outside of it.
NESTED = f".tangency {{{CSS.replace(':root {', '& {').replace('body {', '& {')} & {{ padding: 1rem; }} }}"
