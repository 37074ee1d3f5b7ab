import { parseArgs } from 'node:util'
import { parseTime, REJECTION_CODES } from '@slotstream/protocol'
import { collectorOnThisMachine, type Environment } from '@slotstream/runtime/settings'
import { ReplayError, type Selection } from '@slotstream/sources'
import { type Bots, botsOf } from '../bots.js'
import type { ReplayedPeriod } from './decisions/read-decisions.js'

export const USAGE = `npm run replay -- open-bandit PATH [options]
npm run replay -- rejected --site ID [options]
npm run replay -- decisions --from TIME [options]

open-bandit replays a log of the Open Bandit Dataset into a running system. PATH is the log's CSV file or the folder it
is in. Running it again changes nothing: it also finishes a replay that was interrupted.

  --site ID         the site to fill, default open-bandit; it is made unless it is there
  --write-key KEY   that site's write key, default the site's id
  --policy NAME     name of the policy that drew, for the decisions' records, default random

rejected takes a site's rejected messages once more, as if they came now what they were then: after a tracking plan was
corrected, for one. What is accepted is stored with its own times; the rest stays among the rejected, and is reported.
Running it again changes nothing.

  --site ID         the site
  --code CODE       only what was rejected with this code; may be given several times
  --since TIME      only what was received from this time on, ISO 8601
  --until TIME      only what was received before this time
  --dry-run         find out what would be accepted, and store nothing

decisions is a time machine: it does the recorded decisions of a period again, by the catalog of then, and says how many come out
the same byte for byte; and who would have seen what with another catalog or policy, and what it would have earned. Nothing is
stored. See docs/evaluation.md.

  --site ID         the site, default the only one that has such decisions
  --from TIME       decided from this time on, ISO 8601
  --to TIME         decided before this time, default now
  --slot ID         only decisions about this slot
  --with PATH       default, a file with a slot's policy, or a catalog: {"slots": […], "content": […]}, or a folder with both
                    several times: a tournament of them, each valued at the first position with an interval that holds at
                    every look, beside what runs
  --bots NAME       exclude (default) or include browsers that seem to be programs where --with compares; all are done again
  --json            print JSON instead of a table

  --collector URL   the collector, default http://localhost:PORT, where PORT is 3000, or that of npm start

SECRET_KEY: a secret key of a site that is there and has some, since old times need one; a site that is made gets one of
its own, made of the admin token.
ADMIN_TOKEN: the admin token; without it, the one that npm start keeps under DATA_DIR (default .data).
CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD: where rejected messages and decisions are, default http://127.0.0.1:8123.
`

/** Decisions that are replayed. */
export interface AskedPeriod extends Omit<ReplayedPeriod, 'site'> {
  /** Undefined: the only site that has such decisions */
  site: string | undefined
}

/** Work that the command is to do. */
export type Command =
  | { do: 'help' }
  | { do: 'open-bandit'; path: string; siteId: string; writeKey: string; policy: string; collector: string }
  | { do: 'rejected'; selection: Selection; dryRun: boolean; collector: string }
  | { do: 'decisions'; period: AskedPeriod; with: string[]; bots: Bots; json: boolean; collector: string }

/** Parses the command line. Throws ReplayError, ConfigurationError. */
export function parseArguments(args: string[], env: Environment): Command {
  const { values, positionals } = read(args, collectorOnThisMachine(env))
  const [what, path] = positionals
  const collector = values.collector.replace(/\/+$/, '')
  if (values.help) return { do: 'help' }
  if (what === 'open-bandit' && path !== undefined && positionals.length === 2) {
    const siteId = siteOf(values.site ?? 'open-bandit')
    return { do: what, path, siteId, writeKey: values['write-key'] ?? siteId, policy: values.policy, collector }
  }
  if (what === 'decisions' && positionals.length === 1)
    return {
      do: what,
      period: periodOf(values),
      with: values.with ?? [],
      bots: botsOf(values.bots),
      json: values.json,
      collector,
    }
  if (what !== 'rejected' || positionals.length > 1) throw new ReplayError(USAGE)
  if (values.site === undefined) throw new ReplayError(`--site is missing: whose messages?\n\n${USAGE}`)
  for (const code of values.code ?? [])
    if (!['warehouse_refused', 'profile_too_large'].includes(code) && !Object.hasOwn(REJECTION_CODES, code))
      throw new ReplayError(`--code is "${code}": it must be one of ${Object.keys(REJECTION_CODES).join(', ')}`)
  const selection = {
    siteId: siteOf(values.site),
    codes: values.code,
    since: timeOf('since', values.since) ?? 0,
    until: timeOf('until', values.until) ?? Date.now(),
  }
  return { do: what, selection, dryRun: values['dry-run'], collector }
}

function periodOf({ site, slot, from, to }: ReturnType<typeof read>['values']): AskedPeriod {
  const begin = timeOf('from', from)
  const end = timeOf('to', to) ?? Date.now()
  if (begin === undefined) throw new ReplayError(`--from is missing: decisions since when?\n\n${USAGE}`)
  if (begin >= end)
    throw new ReplayError(`--from ${from} must be before ${to === undefined ? 'now' : `--to ${to}`}: which decisions?`)
  return { site: site === undefined ? undefined : siteOf(site), slot, from: begin, to: end }
}

function siteOf(siteId: string): string {
  if (/^[a-z0-9-]{1,64}$/.test(siteId)) return siteId
  throw new ReplayError(`--site is "${siteId}": it must be 1–64 small letters, digits or hyphens`)
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = parseTime(text)
  if (time !== undefined) return time
  throw new ReplayError(`--${name} is "${text}": it must be a date such as 2026-01-31 or 2026-01-31T12:00:00Z`)
}

function read(args: string[], collector: string) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        collector: { type: 'string', default: collector },
        site: { type: 'string' },
        'write-key': { type: 'string' },
        policy: { type: 'string', default: 'random' },
        code: { type: 'string', multiple: true },
        since: { type: 'string' },
        until: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        slot: { type: 'string' },
        with: { type: 'string', multiple: true },
        bots: { type: 'string' },
        json: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new ReplayError(`${(error as Error).message}\n\n${USAGE}`)
  }
}
