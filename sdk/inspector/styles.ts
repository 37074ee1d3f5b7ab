/** Looks of the inspector, inside its shadow root: nothing of the page gets in, nothing of this gets out. */
export const STYLES = `
:host {
  all: initial;
  --paper: #fff; --ink: #1b1f24; --soft: #5c6570; --line: #e1e5ea; --wash: #f4f6f8; --accent: #0b62d6;
  --good: #0f7a3d; --good-wash: #e2f5e9; --bad: #b3261e; --bad-wash: #fdeceb; --wait: #8a5a00; --wait-wash: #fff3d9;
  position: fixed; z-index: 2147483647; right: 12px; bottom: 12px;
  width: min(440px, calc(100vw - 24px)); height: min(560px, calc(100vh - 24px));
  color: var(--ink); font: 13px/1.45 system-ui, sans-serif; color-scheme: light;
}
@media (prefers-color-scheme: dark) {
  :host {
    --paper: #16191d; --ink: #e8ebef; --soft: #9aa4b0; --line: #2c323a; --wash: #1f242a; --accent: #78b0ff;
    --good: #6fdc9b; --good-wash: #14331f; --bad: #ff9b93; --bad-wash: #421614; --wait: #ffcf70; --wait-wash: #3a2c0c;
    color-scheme: dark;
  }
}
@media (max-width: 520px) {
  :host { right: 0; bottom: 0; width: 100vw; height: min(480px, 70vh); }
  section { border-radius: 14px 14px 0 0 !important; }
}
@media print { :host { display: none; } }
* { box-sizing: border-box; margin: 0; }
section {
  display: flex; flex-direction: column; height: 100%; overflow: hidden; background: var(--paper);
  border: 1px solid var(--line); border-radius: 14px; box-shadow: 0 12px 40px rgb(0 0 0 / .22);
}
header { display: flex; align-items: center; gap: 8px; padding: 10px 10px 6px 14px; }
h2 { font-size: 14px; font-weight: 650; letter-spacing: -.01em; }
h3 { margin: 14px 0 4px; color: var(--soft); font-size: 11px; font-weight: 600; letter-spacing: .05em; text-transform: uppercase; }
h3:first-child { margin-top: 2px; }
.waiting-count { flex: 1; color: var(--soft); font-variant-numeric: tabular-nums; }
button { border: 0; border-radius: 7px; padding: 5px 9px; background: none; color: inherit; font: inherit; cursor: pointer; }
button:hover { background: var(--wash); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
header button { border: 1px solid var(--line); }
[role=tablist] { display: flex; gap: 2px; padding: 0 8px; border-bottom: 1px solid var(--line); overflow-x: auto; }
[role=tab] { flex: none; border-radius: 7px 7px 0 0; padding: 7px 9px; color: var(--soft); }
[role=tab][aria-selected=true] { color: var(--ink); font-weight: 600; box-shadow: inset 0 -2px var(--accent); }
[role=tab] i { color: var(--soft); font-style: normal; font-weight: 400; font-variant-numeric: tabular-nums; }
[role=tab].alarm i { color: var(--bad); font-weight: 600; }
[role=tabpanel] { flex: 1; min-height: 0; overflow: auto; overscroll-behavior: contain; padding: 10px 14px 14px; }
[role=tabpanel][hidden] { display: none; }
[role=tabpanel].rows { padding: 0; }
summary { display: flex; align-items: center; gap: 8px; padding: 7px 14px; list-style: none; cursor: pointer; }
summary::-webkit-details-marker { display: none; }
summary::before { content: ''; flex: none; width: 5px; height: 5px; border: solid var(--soft); border-width: 0 1.5px 1.5px 0; transform: rotate(-45deg); }
[open] > summary::before { transform: rotate(45deg); }
summary:hover { background: var(--wash); }
details, .problem { border-bottom: 1px solid var(--line); }
details > :not(summary) { margin: 2px 14px 10px 27px; }
.title { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
[open] > summary .title { white-space: normal; overflow-wrap: anywhere; }
time { flex: none; color: var(--soft); font: 11px/1.45 ui-monospace, monospace; }
.badge { flex: none; border-radius: 99px; padding: 0 8px; background: var(--wait-wash); color: var(--wait); font-size: 11px; font-weight: 600; line-height: 19px; }
.badge.acknowledged, .badge.served { background: var(--good-wash); color: var(--good); }
.badge.rejected, .badge.dropped, .badge.unavailable, .badge.unknown_slot { background: var(--bad-wash); color: var(--bad); }
.badge.holdout, .badge.empty { background: var(--wash); color: var(--soft); }
.problem { display: flex; gap: 10px; padding: 8px 14px; }
.problem p { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.note { border-radius: 7px; padding: 6px 9px; background: var(--wash); color: var(--soft); }
.none { padding: 32px 14px; color: var(--soft); text-align: center; }
pre { max-height: 260px; overflow: auto; border-radius: 7px; padding: 8px 10px; background: var(--wash); font: 11px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(92px, max-content) 1fr; gap: 3px 12px; }
dt { color: var(--soft); }
dd { min-width: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
meter { width: 100%; max-width: 180px; height: 12px; vertical-align: middle; }
@media (max-width: 400px) { summary time { display: none; } [role=tablist] { padding: 0 4px; } [role=tab] { padding: 7px 6px; font-size: 12px; } }
`
