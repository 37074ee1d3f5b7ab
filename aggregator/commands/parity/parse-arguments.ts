import { parseArgs } from 'node:util'
import { UsageError } from '@slotstream/runtime'

/** Most visitors that one report compares. */
const MAX_SAMPLE = 100_000

/** Arguments of the command. */
export interface Command {
  site: string
  sample: number
  /** Salt of the sample, such as a date. Absent: today's. */
  salt?: string
  json: boolean
}

export const USAGE = `usage: npm run parity -- --site ID [--sample N] [--date YYYY-MM-DD] [--json]
  Computes profiles of a sample of visitors again from the table events, and compares them feature by feature with
  what their owners answer. Nothing is changed. Exit code 1: something differs. See docs/operating.md, "Parity".
  --site     the site
  --sample   visitors, at most; default 100
  --date     whose sample is drawn: the same date gives the same visitors; default: today, UTC
  --json     the report as JSON`

/** Returns the command line as a command. @throws UsageError */
export function parseArguments(args: string[]): Command {
  const { site, sample, date, json } = read(args)
  if (!site) throw new UsageError(`--site is missing: whose profiles?\n${USAGE}`)
  const count = Number(sample)
  if (!/^\d+$/.test(sample) || count < 1 || count > MAX_SAMPLE)
    throw new UsageError(`--sample must be a whole number from 1 to ${MAX_SAMPLE}\n${USAGE}`)
  if (date !== undefined && !/^\d{4}-\d\d-\d\d$/.test(date))
    throw new UsageError(`--date must be a date such as 2026-05-01\n${USAGE}`)
  return { site, sample: count, ...(date !== undefined && { salt: date }), json }
}

function read(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        site: { type: 'string' },
        sample: { type: 'string', default: '100' },
        date: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
}
