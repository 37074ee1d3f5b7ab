import { OUTCOMES } from './compare-values.js'
import { type Example, type FeatureParity, isFault, type ParityReport, SKIPS, type Skip } from './report.js'

const WHY: Record<Skip, string> = {
  retention: 'have messages older than the site keeps',
  unloaded: 'are not yet in ClickHouse as far as their profiles are',
  unanswered: 'have profiles that no owner answered for',
  empty: 'were deleted or have ended',
}

const COLUMNS = ['match', 'different', 'missing', 'extra', 'uncertain', 'maxError', 'meanError'] as const

const HEAD = ['feature', 'match', 'different', 'missing', 'extra', 'uncertain', 'max error', 'mean error']

/** Longest value that a line repeats, in characters. */
const LONGEST = 120

/** Writes a report for people, line by line. */
export function reportLines(report: ParityReport): string[] {
  const { site, at, sampled, compared, different, skipped, why, features, examples } = report
  const faulty = features.filter(hasFault)
  return [
    `${site}: ${compared} of ${sampled} sampled visitors compared, values as of ${at}`,
    ...SKIPS.filter(reason => skipped[reason] > 0).map(reason => `  ${skipped[reason]} ${WHY[reason]}: skipped`),
    ...(why === undefined ? [] : [`  the first of them: ${why}`]),
    '',
    ...tableOf([HEAD, ...features.map(cellsOf)]),
    '',
    ...examples.map(exampleLine),
    different === 0
      ? 'Profiles are what the rows of events give.'
      : `${different} visitors differ, in ${faulty.map(({ feature }) => feature).join(', ')}: see docs/operating.md, "Parity".`,
  ]
}

function hasFault(feature: FeatureParity): boolean {
  return OUTCOMES.some(outcome => feature[outcome] > 0 && isFault({ outcome }))
}

function cellsOf(feature: FeatureParity): string[] {
  return [feature.feature, ...COLUMNS.map(column => shownNumber(feature[column]))]
}

function shownNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4)
}

/** Names on the left, numbers on the right. */
function tableOf(rows: string[][]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}

function exampleLine({ visitor, feature, expected, found: actual }: Example): string {
  return `${visitor}: ${feature} is ${shown(actual)}, the rows give ${shown(expected)}`
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}
