/** Text has a contrast of at least 4.5 with its background, lines that carry meaning at least 3, in both themes. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f6f7f9; --ink: #16202b; --soft: #4f5b68; --rule: #dde2e8; --grid: #e8ecf0;
  --main: #0a6a9c; --main-area: #d4e7f2; --second: #7a4fb0; --second-area: #d9cdeb; --group: #5b6b2f;
  --worse: #b3261e; --worse-back: #fcebea; --better: #1b6e3c; --better-back: #e7f4ec;
  --elevated: #a66a00; --high: #c2480a; --critical: #b3261e; --before: #8793a0; --focus: #0a6a9c;
  --fair: #855300; --fair-back: #fdf1dc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #11161c; --panel: #1a2129; --ink: #e7ecf1; --soft: #a6b1bd; --rule: #313b46; --grid: #252e38;
    --main: #5fb6e6; --main-area: #17384b; --second: #b996ea; --second-area: #3d3158; --group: #b3c46a;
    --worse: #ff8b80; --worse-back: #3b1d1c; --better: #7fd3a0; --better-back: #16301f;
    --elevated: #e0a63f; --high: #f08a4b; --critical: #ff8b80; --before: #8795a3; --focus: #8ccdf2;
    --fair: #eab04d; --fair-back: #36290f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0 auto; padding: 0 20px; max-width: 1000px; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
body::before { content: ""; position: absolute; top: 0; left: 0; right: 0; height: 6px; background: var(--state); }
.state-good { --state: var(--better); --state-back: var(--better-back); }
.state-fair { --state: var(--fair); --state-back: var(--fair-back); }
.state-poor { --state: var(--worse); --state-back: var(--worse-back); }
a { color: var(--main); text-underline-offset: 0.15em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -999px; top: 8px; padding: 8px 12px; background: var(--paper); }
.skip:focus { left: 8px; }
header { padding: 40px 0 8px; }
.kind { display: flex; align-items: center; gap: 10px; margin: 0 0 20px; color: var(--soft); font-size: 15px; }
.kind strong { color: var(--ink); font-weight: 650; }
.kind .mark { display: block; flex: none; width: 28px; height: 28px; color: var(--main); }
h1 { margin: 0 0 6px; font-size: clamp(24px, 4.4vw, 36px); line-height: 1.2; letter-spacing: -0.02em; font-weight: 700; overflow-wrap: anywhere; }
.folder { color: var(--soft); font-weight: 400; }
.subject { margin: 0; font-size: 18px; }
h2 { margin: 0 0 12px; font-size: 23px; line-height: 1.25; letter-spacing: -0.01em; font-weight: 650; }
h3 { margin: 0; font-size: 17px; line-height: 1.35; font-weight: 650; }
.where { margin: 0; color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 18px 0 0; padding: 12px 0; list-style: none; border-top: 1px solid var(--rule); border-bottom: 1px solid var(--rule); font-size: 15px; }
nav a { display: inline-block; padding: 3px 0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
section { padding: 32px 0 8px; }
p { margin: 0 0 12px; max-width: 72ch; }
.lead { font-size: 18px; }
.note, .remark, figcaption p { color: var(--soft); }
.note { font-size: 15px; }
code { font: 0.9em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.state { display: flex; gap: 8px 24px; margin: 0 0 20px; padding: 14px 18px; background: var(--state-back); border: 1px solid var(--state); border-left-width: 6px; border-radius: 8px; }
.state p { margin: 0; }
.state .remark { margin-top: 2px; color: var(--ink); }
.state-word { flex: none; min-width: 3.6em; color: var(--state); font-size: 26px; line-height: 1.2; font-weight: 700; white-space: nowrap; }
.state-line { font-weight: 650; }
.state-poor .state-figure, .state-fair .state-figure { color: var(--state); }
.tiles { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 1px; margin: 20px 0 0; background: var(--rule); border: 1px solid var(--rule); border-radius: 8px; overflow: hidden; }
.tiles div { padding: 14px 16px; background: var(--paper); }
.tiles .state-tile { background: var(--state-back); } .tiles .state-tile .figure { color: var(--state); }
.tiles .alarm-tile { background: var(--worse-back); } .tiles .alarm-tile .figure { color: var(--worse); }
.tiles .state-tile :is(dt, .remark), .tiles .alarm-tile :is(dt, .remark) { color: var(--ink); }
.tiles dt { color: var(--soft); font-size: 14px; }
.tiles dd { margin: 0; }
.figure { display: block; font-size: 26px; line-height: 1.25; font-weight: 650; letter-spacing: -0.015em; }
.remark { display: block; font-size: 14px; }
figure { margin: 0 0 36px; }
figcaption { margin-bottom: 12px; }
figcaption p { margin: 2px 0 0; font-size: 15px; }
.told { grid-column: 1 / -1; margin-bottom: 36px; } .told p { margin-top: 2px; color: var(--soft); font-size: 15px; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 48px; }
.beside { display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px 48px; align-items: start; }
svg { display: none; width: 100%; height: auto; overflow: visible; }
svg.at-narrow { display: block; }
@media (min-width: 540px) { svg.at-narrow { display: none; } svg.at-middle, svg.at-half { display: block; } svg.at-half { max-width: 520px; } }
@media (min-width: 860px) {
  .pair, .beside { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  svg.at-middle { display: none; } svg.at-wide { display: block; }
}
svg text { fill: var(--ink); font-size: 13px; }
svg .axis text, svg .axis-title, svg .faint { fill: var(--soft); font-size: 12px; }
svg .value { font-weight: 600; }
svg .dot-name, svg .haloed { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.grid { stroke: var(--grid); }
.base { stroke: var(--soft); }
.track { fill: var(--panel); }
.bar { fill: var(--main); }
.bar-before { fill: var(--paper); stroke: var(--before); stroke-width: 1.5; }
.stage-marks line { stroke: var(--rule); }
.rss-area, .rate-area { fill: var(--main-area); }
.rss-line, .rate-line { fill: none; stroke: var(--main); stroke-width: 2; stroke-linejoin: round; }
.rss-dot, .recall-dot { fill: var(--main); }
.queue-area, .spill-area { fill: var(--second-area); }
.queue-area { stroke: var(--second); }
.spill-line { fill: none; stroke: var(--second); stroke-width: 2; stroke-linejoin: round; }
.group-line { fill: none; stroke: var(--group); stroke-width: 1.5; stroke-dasharray: 2 3; }
.level { stroke: var(--soft); stroke-dasharray: 1 4; }
.budget { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 6 4; }
svg .budget-name { font-size: 12px; font-weight: 600; }
.pressure-elevated { fill: var(--elevated); } .pressure-high { fill: var(--high); } .pressure-critical { fill: var(--critical); }
.break line { stroke: var(--soft); stroke-width: 1.5; }
.ring { fill: none; stroke: var(--ink); stroke-width: 2; }
.recall-line { fill: none; stroke: var(--main); stroke-width: 2; }
.keys { display: block; margin-top: 4px; }
.key { white-space: nowrap; margin-right: 10px; }
.swatch { display: inline-block; width: 14px; height: 10px; margin-right: 6px; border-radius: 2px; }
.swatch.rss { background: var(--main-area); border-top: 2px solid var(--main); }
.swatch.queues { background: var(--second-area); border-top: 2px solid var(--second); }
.swatch.group { height: 0; border-top: 2px dashed var(--group); vertical-align: middle; }
.swatch.now { background: var(--main); }
.swatch.before { border: 1.5px solid var(--before); }
details { margin-top: 10px; font-size: 15px; }
summary { display: inline-block; padding: 4px 0; color: var(--main); cursor: pointer; }
summary::before { content: "+ "; font-weight: 600; }
details[open] > summary::before { content: "− "; }
.framed { margin: 6px 0 16px; border: 1px solid var(--rule); border-radius: 6px; }
.scroll { overflow-x: auto; max-height: 480px; overflow-y: auto; margin: 6px 0 16px; border: 1px solid var(--rule); border-radius: 6px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; line-height: 1.4; }
th, td { padding: 7px 12px; text-align: left; vertical-align: top; border-top: 1px solid var(--rule); }
thead th { position: sticky; top: 0; background: var(--panel); border-top: 0; color: var(--soft); font-weight: 600; }
tbody th { font-weight: 400; }
.data tbody th, .data code { white-space: nowrap; }
.data .host { display: block; min-width: 10ch; max-width: min(34ch, 30vw); white-space: normal; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
thead th.number { white-space: normal; }
.comparison th[scope="row"] { border-left: 4px solid transparent; }
.comparison .worse th[scope="row"] { border-left-color: var(--worse); font-weight: 650; }
.comparison .group th { padding-top: 16px; font-weight: 650; }
.verdict { white-space: nowrap; color: var(--soft); }
.verdict.worse, .verdict.better { display: inline-block; padding: 0 8px; border-radius: 4px; font-weight: 650; }
.verdict.worse { color: var(--worse); background: var(--worse-back); box-shadow: inset 0 0 0 1px var(--worse); }
.verdict.better { color: var(--better); background: var(--better-back); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 0 48px; margin: 0; }
.facts div { display: flex; gap: 16px; padding: 7px 0; border-bottom: 1px solid var(--rule); }
.facts dt { flex: 0 0 9.5em; color: var(--soft); }
.facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.events { margin: 0; padding: 0; list-style: none; border-top: 1px solid var(--rule); }
.events li { padding: 10px 0; border-bottom: 1px solid var(--rule); }
.events p { margin: 0; max-width: 90ch; overflow-wrap: anywhere; }
.events code { margin-right: 8px; color: var(--ink); font-weight: 600; }
footer { margin-top: 32px; padding: 20px 0 40px; border-top: 1px solid var(--rule); color: var(--soft); font-size: 14px; }
@media (max-width: 539px) {
  header { padding-top: 24px; }
  th, td { padding: 6px 8px; }
  .state { flex-direction: column; }
  .tiles > div { padding: 12px; }
  .figure { font-size: 22px; }
  .facts dt { flex-basis: 7.5em; }
}
@media (max-width: 859px) {
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .comparison, .comparison tbody, .comparison tr, .comparison th, .comparison td { display: block; }
  .comparison thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .comparison tr { display: grid; grid-template: "name name says" "now before difference" / minmax(0, 1fr) minmax(0, 1fr) minmax(0, 1.35fr); gap: 2px 10px; padding: 9px 12px; border-top: 1px solid var(--rule); border-left: 4px solid transparent; }
  .comparison tr.group { grid-template: "name"; padding-bottom: 4px; }
  .comparison tbody:first-of-type tr.group { border-top: 0; }
  .comparison tr.worse { border-left-color: var(--worse); }
  .comparison th, .comparison td, .comparison .group th { padding: 0; border: 0; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  .comparison th { grid-area: name; } .comparison th[scope="row"] { border: 0; }
  .comparison .now { grid-area: now; } .comparison .before { grid-area: before; } .comparison .difference { grid-area: difference; }
  .comparison .says { grid-area: says; text-align: right; }
  .comparison td[data-of]::before { content: attr(data-of); display: block; color: var(--soft); font-size: 12px; }
}
@media print { nav, .skip { display: none; } section { break-inside: avoid-page; } .scroll { max-height: none; } }
`
