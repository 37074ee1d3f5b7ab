import type { SlotComparison, Standings } from '@slotstream/core'
import type { ReplayReport } from './replay-decisions.js'

/** Rows of a table of contents, and decisions of a sample, that are written. */
const MOST_CONTENTS = 20
const MOST_SAMPLED = 5

const ESTIMATES = { ips: 'IPS', snips: 'SNIPS', dm: 'DM', dr: 'DR', switchDr: 'Switch-DR' } as const

/** Writes what a replay found, for people. */
export function writeReport(report: ReplayReport): string {
  const {
    total,
    undecided,
    reproduced,
    ways,
    different,
    withoutCatalog,
    programs,
    slots = {},
    tournaments = {},
  } = report
  const lines = [
    `${whole(total)} decisions${undecided > 0 ? `, ${whole(undecided)} of them left to the page without a choice` : ''}`,
    `${whole(reproduced)} of ${whole(total - undecided)} are the same again, byte for byte: ` +
      `${whole(ways.decided)} decided anew, ${whole(ways.drawn)} drawn from the numbers of their record`,
  ]
  for (const { reason, decisions, ids } of different)
    lines.push(`${whole(decisions)} are not: ${reason} (${ids.join(', ')})`)
  if (withoutCatalog > 0) lines.push(`${whole(withoutCatalog)} were made by a catalog that is not kept any more`)
  if (programs > 0) lines.push(`${whole(programs)} are not compared: their browsers seem to be programs`)
  for (const [slotId, comparison] of Object.entries(slots)) lines.push('', ...comparisonLines(slotId, comparison))
  for (const [slotId, standings] of Object.entries(tournaments)) lines.push('', ...standingLines(slotId, standings))
  return `${lines.join('\n')}\n`
}

function comparisonLines(slotId: string, comparison: SlotComparison): string[] {
  const { decisions, changed, contents, sample, unknown, logged, value } = comparison
  const share = decisions > 0 ? ` (${((100 * changed) / decisions).toFixed(1)} %)` : ''
  const lines = [`slot ${slotId}: ${whole(changed)} of ${whole(decisions)} decisions would show something else${share}`]
  lines.push(`  ${'content'.padEnd(30)}${'shown'.padStart(10)}${'would be'.padStart(10)}`)
  for (const { contentId, before, after } of contents.slice(0, MOST_CONTENTS))
    lines.push(`  ${contentId.padEnd(30)}${whole(before).padStart(10)}${whole(after).padStart(10)}`)
  if (contents.length > MOST_CONTENTS) lines.push(`  and ${contents.length - MOST_CONTENTS} more`)
  for (const { decisionId, before, after } of sample.slice(0, MOST_SAMPLED))
    lines.push(`  ${decisionId}: ${listed(before)} → ${listed(after)}`)
  for (const each of unknown) lines.push(`  left out ${whole(each.decisions)}: ${each.reason}`)
  lines.push(`  logged     ${logged.toFixed(6)} of reward for a content shown`)
  for (const [name, title] of Object.entries(ESTIMATES)) {
    const estimate = value.estimates?.[name as keyof typeof ESTIMATES]
    if (!estimate) continue
    const [middle, low, high] = [estimate.value, estimate.low, estimate.high].map(number => number.toFixed(6))
    lines.push(`  ${title.padEnd(10)} ${middle}, 95 % from ${low} to ${high}`)
  }
  const { refused } = value
  if (refused)
    lines.push(`  Do not rely on it (${refused.code}): ${refused.reason}.`, `  What would help: ${refused.cure}.`)
  return lines
}

function standingLines(slotId: string, { running, candidates }: Standings): string[] {
  const numbers = ({ value, low, high }: Standings['running']) =>
    `${value.toFixed(6)}, from ${low.toFixed(6)} to ${high.toFixed(6)}`
  const lines = [`slot ${slotId}: by ${whole(running.decisions)} decisions; intervals hold at every look, all at once`]
  lines.push(`  what runs  ${numbers(running)}`)
  for (const candidate of candidates)
    lines.push(`  ${candidate.standing.padEnd(10)} ${candidate.name}: ${numbers(candidate)} (${candidate.reason})`)
  return lines
}

function listed(ids: readonly string[]): string {
  return ids.length > 0 ? ids.join(', ') : 'nothing'
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
