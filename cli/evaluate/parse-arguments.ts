import { parseTime } from '@slotstream/protocol'
import { botsOf } from '../bots.js'
import { readOptions } from '../read-options.js'
import { UsageError } from '../usage-error.js'
import { DECISION_REWARDS, type DecisionRewards, type DecisionSelection } from './log/export-decisions.js'
import { SPLITS, type Split } from './ranking/split.js'

export const USAGE = `npm run --silent evaluate -- --log FILE --policy uniform|default|FILE [options]
npm run --silent evaluate -- --slot ID --policy uniform|default|FILE [options]
npm run --silent evaluate -- ranking --log FILE [options]

The first two: what a policy would have earned with what another one showed, each estimate with its 95 % interval, and a word where
the log cannot tell. See docs/evaluation.md.

  --log FILE      an Open Bandit log, or an export of decisions: CSV or TSV with the names of columns in its first line,
                  or lines of JSON
  --slot ID       the decisions of a slot and what came of them, from ClickHouse
  --site ID       its site, default the only one that has such a slot
  --from TIME     decided from this time on, ISO 8601
  --to TIME       decided before this time
  --rewards NAME  slot (default): what the slot names as its rewards, as policies learned it; or clicks
  --bots NAME     with --slot: exclude (default) or include browsers that seem to be programs
  --policy NAME   uniform: each item of the log alike; default: as a slot without a policy; or a file with a slot's policy as JSON
  --content FILE  contents as in the catalog, for policies that choose by what content is
  --clip WEIGHT   also estimate with weights of at most this
  --json          print JSON instead of a table

The third: how well the ranking policies predict what users took: from the lines of a log, part trains and part tests, and the
best ten of all items that a user has not had are compared with what they took. See docs/policies.md.

  --log FILE     lines of user, item, rating, time, separated by tab, comma or |; a header or none
  --split NAME   md5 (default): by the hash of user and item, a fifth tests
                 time: the first 80 % of all lines train
                 last: the last line of each user tests
  --items FILE   lines of item and its categories, or MovieLens' u.item: measures the policy affinity, too
  --json         print JSON instead of a table

CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD: where decisions are, default http://127.0.0.1:8123.
`

/** Files and options by which a policy is valued. */
export interface ValueCommand {
  do: 'value'
  /** A file, or decisions in ClickHouse. */
  log: string | DecisionSelection
  policy: string
  content: string | undefined
  clip: number | undefined
  json: boolean
}

/** Work that the command is to do. */
export type Command =
  | { do: 'help' }
  | { do: 'ranking'; log: string; split: Split; items: string | undefined; json: boolean }
  | ValueCommand

/** Options of one form of the command, which the other does not take. */
const OF_RANKING = ['split', 'items'] as const
const OF_VALUE = ['policy', 'content', 'clip', 'slot', 'site', 'from', 'to', 'rewards', 'bots'] as const

/**
 * Parses the command line.
 *
 * @throws UsageError
 */
export function parseArguments(args: string[]): Command {
  const { values, positionals } = readArguments(args)
  if (values.help || args.length === 0) return { do: 'help' }
  const [what] = positionals
  if (positionals.length > 1 || (what !== undefined && what !== 'ranking')) throw new UsageError(USAGE)
  const foreign = (what === 'ranking' ? OF_VALUE : OF_RANKING).find(name => values[name] !== undefined)
  if (foreign) throw new UsageError(`--${foreign} is for the other form\n\n${USAGE}`)
  const { log, items, json } = values
  if (what !== 'ranking') return valueCommand(values)
  if (!log) throw new UsageError(`--log is missing: which file?\n\n${USAGE}`)
  return { do: 'ranking', log, split: splitOf(values.split ?? 'md5'), items, json }
}

function valueCommand(values: ReturnType<typeof readArguments>['values']): ValueCommand {
  const { log, slot, site, policy, content, json } = values
  if ((log === undefined) === (slot === undefined))
    throw new UsageError(`--log or --slot, one of them: which decisions?\n\n${USAGE}`)
  const foreign = (['site', 'from', 'to', 'rewards', 'bots'] as const).find(
    name => log !== undefined && values[name] !== undefined,
  )
  if (foreign) throw new UsageError(`--${foreign} is for --slot: a file is taken whole\n\n${USAGE}`)
  if (!policy) throw new UsageError(`--policy is missing: uniform, or a file with a policy\n\n${USAGE}`)
  const from = timeOf('from', values.from)
  const to = timeOf('to', values.to)
  const source = log ?? { slot: slot!, site, from, to, rewards: rewardsOf(values.rewards), bots: botsOf(values.bots) }
  return { do: 'value', log: source, policy, content, clip: clipOf(values.clip), json }
}

function rewardsOf(text = 'slot'): DecisionRewards {
  const rewards = DECISION_REWARDS.find(name => name === text)
  if (rewards) return rewards
  throw new UsageError(`--rewards must be ${DECISION_REWARDS.join(' or ')}, not ${JSON.stringify(text)}`)
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = parseTime(text)
  if (time !== undefined) return time
  throw new UsageError(`--${name} is "${text}": it must be a date such as 2026-01-31 or 2026-01-31T12:00:00Z`)
}

function splitOf(text: string): Split {
  if ((SPLITS as readonly string[]).includes(text)) return text as Split
  throw new UsageError(`--split must be ${SPLITS.join(', ')}, not ${text}\n\n${USAGE}`)
}

function clipOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const weight = Number(text)
  if (Number.isFinite(weight) && weight > 0) return weight
  throw new UsageError(`--clip must be a weight above 0, not ${text}\n\n${USAGE}`)
}

function readArguments(args: string[]) {
  return readOptions(
    args,
    {
      log: { type: 'string' },
      split: { type: 'string' },
      items: { type: 'string' },
      policy: { type: 'string' },
      content: { type: 'string' },
      slot: { type: 'string' },
      site: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      rewards: { type: 'string' },
      bots: { type: 'string' },
      clip: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    USAGE,
  )
}
