import type { PolicyValue } from './evaluate-policy.js'

const NAMES = {
  ips: 'inverse propensity (IPS)',
  clipped: 'the same, weights clipped',
  snips: 'self-normalized (SNIPS)',
  dm: 'reward model alone (DM)',
  dr: 'doubly robust (DR)',
  switchDr: 'DR, model for large weights',
}

/** Share of all weight that one row may have without a word. */
const LARGE_SHARE = 0.05

/** Writes a policy's value as a table, for people. */
export function writeValue({ report, diagnostics, rows, valued, logged }: PolicyValue): string {
  const { estimates, ess, overlap, maxWeight, refused } = report
  const lines = [
    `${whole(rows)} rows${valued < rows ? `, valued by the last ${whole(valued)}: the policy learns from those before` : ''}`,
    `logged       ${logged.toFixed(6)} of reward a row`,
    '',
  ]
  if (estimates) {
    lines.push(`${'the policy would have earned'.padEnd(30)}${['a row', '95 %: from', 'to'].map(cellOf).join('')}`)
    for (const [name, title] of Object.entries(NAMES)) {
      const estimate = estimates[name as keyof typeof NAMES]
      if (!estimate) continue
      const { value, low, high } = estimate
      lines.push(`${title.padEnd(30)}${[value, low, high].map(number => cellOf(number.toFixed(6))).join('')}`)
    }
    lines.push('')
  }
  if (diagnostics) {
    lines.push(`The log is worth ${whole(ess)} rows of the policy's own (effective sample size).`)
    lines.push(`${(100 * overlap).toFixed(1)} % of what it would show could be shown in the log (overlap).`)
    const { meanWeight } = diagnostics
    const share = meanWeight > 0 ? maxWeight / (meanWeight * valued) : 0
    const warning = share > LARGE_SHARE ? `: one row has ${(100 * share).toFixed(1)} % of all weight` : ''
    lines.push(`The largest weight is ${Number(maxWeight.toPrecision(4))}${warning}.`)
  }
  if (refused)
    lines.push('', `Do not rely on it (${refused.code}): ${refused.reason}.`, `What would help: ${refused.cure}.`)
  return lines.join('\n')
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function cellOf(text: string): string {
  return text.padStart(14)
}
