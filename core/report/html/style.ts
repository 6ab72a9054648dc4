/** The page's only style sheet. Colours are variables, so that light, dark and print differ in one place each. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --raised: #f8f9fb; --ink: #18202c; --muted: #5a6676; --line: #e1e5eb; --track: #cfd5de;
  --accent: #2358d5; --candidate: #2563eb; --baseline: #9a7d2e;
  --pass: #1a7f4b; --fail: #c9252d; --error: #a21a68; --warn: #996300; --inconclusive: #6a4bc4; --waived: #0c7085; --skipped: #6b7684;
  --shadow: 0 1px 2px rgb(20 30 50 / .05), 0 4px 16px rgb(20 30 50 / .05);
  --mono: ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --card: #151b24; --raised: #1a212c; --ink: #e6ebf2; --muted: #9aa7b8; --line: #28313e; --track: #3a4553;
    --accent: #82aaff; --candidate: #6ea0ff; --baseline: #d9b65c;
    --pass: #4cc58b; --fail: #ff7a75; --error: #f583c0; --warn: #e3b04b; --inconclusive: #b59cff; --waived: #5bc8d8; --skipped: #8d99a8;
    --shadow: none;
  }
}
* { box-sizing: border-box }
html { scroll-behavior: smooth; scroll-padding-top: 64px; -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif; font-variant-numeric: tabular-nums }
h1, h2, h3, p, ul, dl, dd, figure { margin: 0; padding: 0 }
h2 { font-size: 20px; line-height: 1.3; letter-spacing: -.01em; margin: 0 0 14px }
h3 { font-size: 15px; line-height: 1.4 }
ul { list-style: none }
a { color: var(--accent); text-decoration: none }
a:hover { text-decoration: underline }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px }
code { font: .86em/1.4 var(--mono); overflow-wrap: anywhere }
.wrap { max-width: 1160px; margin: 0 auto; padding: 0 24px }
.muted { color: var(--muted) }
.small { font-size: 13px }
.skip { position: absolute; left: -999px }
.skip:focus { left: 12px; top: 12px; background: var(--card); padding: 8px 12px; z-index: 9 }

.s-pass { --status: var(--pass) } .s-fail { --status: var(--fail) } .s-error { --status: var(--error) } .s-warn { --status: var(--warn) }
.s-inconclusive { --status: var(--inconclusive) } .s-waived { --status: var(--waived) } .s-skipped { --status: var(--skipped) }
.v-passed { --status: var(--pass) } .v-failed { --status: var(--fail) } .v-error { --status: var(--error) }

.top { padding: 22px 0 0 }
.brand { display: flex; align-items: center; gap: 10px; font-weight: 650; letter-spacing: -.01em }
.brand svg { width: 26px; height: 26px; color: var(--accent); flex: none }
.brand .muted { font-weight: 400 }

.verdict { margin: 18px 0 0; background: color-mix(in srgb, var(--status) 7%, var(--card)); border: 1px solid color-mix(in srgb, var(--status) 35%, var(--line)); border-radius: 14px; padding: 26px 28px; display: grid; grid-template-columns: auto 1fr; gap: 4px 22px; box-shadow: var(--shadow) }
.verdict .icon { width: 60px; height: 60px; border-radius: 50%; background: var(--status); color: var(--card); display: grid; place-items: center; font-size: 30px; font-weight: 700; line-height: 1; grid-row: span 2 }
.verdict h1 { font-size: 28px; line-height: 1.2; letter-spacing: -.02em; overflow-wrap: anywhere }
.verdict h1 .word { color: var(--status) }
.verdict .headline { font-size: 16px; overflow-wrap: anywhere }
.verdict .tally { grid-column: 1 / -1; margin-top: 20px }
.stack { display: flex; height: 10px; border-radius: 5px; overflow: hidden; gap: 2px }
.stack span { background: var(--status); min-width: 5px }
.counts { display: flex; flex-wrap: wrap; gap: 6px 20px; margin-top: 10px; font-size: 14px }
.counts b { font-weight: 650 }
.counts i { font-style: normal; color: var(--status); margin-right: 5px }

.tiles { display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); gap: 12px; margin: 14px 0 0 }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; box-shadow: var(--shadow); min-width: 0 }
.tile dt { font-size: 12px; text-transform: uppercase; letter-spacing: .06em; color: var(--muted) }
.tile dd { font-size: 16px; font-weight: 600; overflow: hidden; text-overflow: ellipsis; overflow-wrap: anywhere; line-height: 1.35; margin-top: 3px }
.tile p { font-size: 13px; color: var(--muted); overflow-wrap: anywhere }

nav { position: sticky; top: 0; z-index: 5; background: color-mix(in srgb, var(--page) 92%, transparent); backdrop-filter: blur(8px); border-bottom: 1px solid var(--line); margin-top: 18px }
nav ul { display: flex; gap: 2px; overflow-x: auto; scrollbar-width: none; padding: 6px 0 }
nav a { display: block; white-space: nowrap; padding: 6px 11px; border-radius: 8px; color: var(--ink); font-size: 14px; font-weight: 500 }
nav a:hover { background: color-mix(in srgb, var(--accent) 10%, transparent); text-decoration: none }
nav .n { color: var(--muted); font-weight: 400; margin-left: 4px }
nav li:first-child a { margin-left: -11px }

main section { padding: 30px 0 6px }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow) }
.badge { display: inline-flex; align-items: center; gap: 6px; font-size: 13px; font-weight: 600; color: var(--status); background: color-mix(in srgb, var(--status) 12%, transparent); border-radius: 999px; padding: 2px 10px 2px 8px; white-space: nowrap }

.steps { padding: 14px 18px; margin-bottom: 14px }
.steps h3 { margin-bottom: 4px }
.steps li { padding: 3px 0 3px 22px; position: relative; overflow-wrap: anywhere }
.steps li::before { content: "→"; position: absolute; left: 0; color: var(--accent) }
.notice { padding: 10px 16px; margin-bottom: 10px; border-left: 4px solid var(--status); overflow-wrap: anywhere }

.check { border-left: 4px solid var(--status); padding: 16px 20px; margin-bottom: 12px; break-inside: avoid }
.check > header { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center }
.check h3 { font-size: 16px; flex: 1 1 auto; overflow-wrap: anywhere; min-width: 0 }
.check .message { margin-top: 6px; overflow-wrap: anywhere }
.check .body { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 440px); gap: 12px 32px; align-items: center; margin-top: 12px }
.check .body.plain { grid-template-columns: minmax(0, 1fr) }
.facts { display: flex; flex-wrap: wrap; gap: 10px 30px }
.facts dt { font-size: 12px; color: var(--muted) }
.facts dd { font-size: 17px; font-weight: 600; line-height: 1.3; overflow-wrap: anywhere }
.facts dd.bad { color: var(--status) }
.facts dd .muted { font-size: 14px; font-weight: 400 }
.check footer { margin-top: 10px; font-size: 13px; color: var(--muted); display: flex; flex-wrap: wrap; gap: 2px 16px; overflow-wrap: anywhere }

svg.interval { display: block; overflow: visible }
svg.interval.large { width: 100%; height: auto }
.interval .forbidden { fill: var(--fail); opacity: .1 }
.interval .track { stroke: var(--line) }
.interval .span { stroke: var(--status); stroke-width: 2; fill: none; stroke-linecap: round }
.interval .large .span { stroke-width: 2.5 }
.interval .dot { fill: var(--status); stroke: var(--card); stroke-width: 1.5 }
.interval .bound-line { stroke: var(--ink); stroke-width: 1.6; fill: none }
.interval text { font-size: 12.5px; fill: var(--muted); font-variant-numeric: tabular-nums }
.interval .bound-label { fill: var(--ink); font-weight: 600 }

.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch }
table { border-collapse: collapse; width: 100%; font-size: 14px }
caption { text-align: left; padding: 12px 16px 8px; font-weight: 600; overflow-wrap: anywhere }
caption .muted { font-weight: 400 }
th, td { text-align: left; padding: 8px 12px; border-top: 1px solid var(--line); vertical-align: middle }
thead th { font-size: 12px; font-weight: 600; color: var(--muted); border-top: 0; white-space: nowrap; background: var(--raised) }
tbody th { font-weight: 500 }
th:first-child, td:first-child { padding-left: 16px }
th:last-child, td:last-child { padding-right: 16px }
.num { text-align: right; white-space: nowrap }
td.nowrap { white-space: nowrap }
td .id { display: block; font-size: 12px; color: var(--muted); overflow-wrap: anywhere; font-family: var(--mono); line-height: 1.35; margin-top: 1px }
td .status { color: var(--status); font-weight: 600; white-space: nowrap }
td .status i { font-style: normal; display: inline-block; width: 1.3em }
tbody tr:hover { background: color-mix(in srgb, var(--accent) 4%, transparent) }
table.checks th:first-child { width: 128px }
table.checks td[data-label=bound] { min-width: 126px; max-width: 320px; text-wrap: balance }
.folded { border-top: 1px solid var(--line) }
.folded > summary { color: var(--muted) }
table.checks td.name { min-width: 200px; overflow-wrap: anywhere }
table.failing { font-size: 13px }
table.failing td { font-family: var(--mono); font-size: 12.5px; max-width: 340px; overflow-wrap: break-word; min-width: 64px }
table.failing .num { width: 1px; padding-right: 20px; color: var(--muted) }
table.failing em { color: var(--fail); font-style: normal; opacity: .85 }
.group { margin-bottom: 14px; overflow: hidden }
details.rows { margin-top: 12px; border: 1px solid var(--line); border-radius: 8px; overflow: hidden }
summary { cursor: pointer; padding: 8px 14px; font-weight: 500; font-size: 14px }
details[open] > summary { border-bottom: 1px solid var(--line) }

.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 14px; align-items: start; grid-auto-flow: dense }
.plot { background: var(--card); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow); padding: 16px 18px 12px; break-inside: avoid; min-width: 0 }
.plot.wide { grid-column: 1 / -1 }
.plot.wide .plot-drawing { max-width: 860px }
.plot h3 { overflow-wrap: anywhere }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; margin: 2px 0 8px }
.swatch { display: inline-block; width: 14px; height: 4px; border-radius: 2px; margin-right: 6px; vertical-align: 3px }
.plot-drawing { display: block; width: 100%; height: auto; margin: 0 auto; color: var(--ink); font-variant-numeric: tabular-nums }
.plot-drawing text { white-space: pre }
.plot-drawing [aria-label$="tick label"], .plot-drawing [aria-label$="axis label"] { fill: var(--muted) }

.models { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 14px }
.models .card { overflow: hidden }
.models .profile { grid-column: 1 / -1 }
.profile td:last-child code { white-space: pre }
.kv th { color: var(--muted); font-weight: 400; width: 130px; white-space: nowrap }
.kv td { overflow-wrap: anywhere }
.kv tr:first-child > * { border-top: 0 }
.page-end { color: var(--muted); font-size: 13px; padding: 26px 0 40px }

@media (max-width: 720px) {
  .wrap { padding: 0 14px }
  .verdict { padding: 18px 16px; gap: 4px 14px }
  .verdict .icon { width: 44px; height: 44px; font-size: 22px; grid-row: auto }
  .verdict h1 { font-size: 22px; align-self: center }
  .verdict .headline { grid-column: 1 / -1; margin-top: 8px }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px }
  .tile { padding: 10px 12px }
  .tile dd { font-size: 15px }
  .check { padding: 14px 14px }
  .check .body { grid-template-columns: minmax(0, 1fr) }
  .check h3 { flex-basis: 100%; order: 2 }
  table.checks thead { display: none }
  table.checks tr { display: grid; grid-template-columns: 1fr auto; gap: 2px 12px; padding: 10px 14px; border-top: 1px solid var(--line) }
  table.checks tbody tr:first-child { border-top: 0 }
  table.checks td { border: 0; padding: 0 !important; text-align: left }
  table.checks td:empty { display: none }
  table.checks th:first-child { width: 128px }
table.checks td[data-label=bound] { min-width: 126px; max-width: 320px; text-wrap: balance }
.folded { border-top: 1px solid var(--line) }
.folded > summary { color: var(--muted) }
table.checks td.name { grid-column: 1 / -1; min-width: 0; order: -1 }
  table.checks td[data-label]::before { content: attr(data-label) " "; color: var(--muted); font-size: 12px }
  table.checks td.wide { grid-column: 1 / -1 }
}
@media print {
  :root { --page: #fff; --shadow: none }
  body { font-size: 12px }
  nav, .skip { display: none }
  main section { padding-top: 18px }
  details::details-content { content-visibility: visible; display: block; height: auto }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto } }
`.trim();
