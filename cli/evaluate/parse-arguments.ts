import { parseArgs } from 'node:util'
import { UsageError } from '../usage-error.js'
import { SPLITS, type Split } from './ranking/split.js'

export const USAGE = `npm run --silent evaluate -- ranking --log FILE [options]

How well the ranking policies predict what users took: from the lines of a log, part trains and part tests, and the best ten of
all items that a user has not had are compared with what they took. See docs/policies.md.

  --log FILE     lines of user, item, rating, time, separated by tab, comma or |; a header or none
  --split NAME   md5 (default): by the hash of user and item, a fifth tests
                 time: the first 80 % of all lines train
                 last: the last line of each user tests
  --items FILE   lines of item and its categories, or MovieLens' u.item: measures the policy affinity, too
  --json         print JSON instead of a table
`

/** Work that the command is to do. */
export type Command =
  | { do: 'help' }
  | { do: 'ranking'; log: string; split: Split; items: string | undefined; json: boolean }

/**
 * Parses the command line.
 *
 * @throws UsageError
 */
export function parseArguments(args: string[]): Command {
  const { values, positionals } = readOptions(args)
  if (values.help || args.length === 0) return { do: 'help' }
  if (positionals.length !== 1 || positionals[0] !== 'ranking') throw new UsageError(USAGE)
  const { log, split, items, json } = values
  if (!log) throw new UsageError(`--log is missing: which file?\n\n${USAGE}`)
  if (!isSplit(split)) throw new UsageError(`--split must be ${SPLITS.join(', ')}, not ${split}\n\n${USAGE}`)
  return { do: 'ranking', log, split, items, json }
}

function isSplit(text: string): text is Split {
  return (SPLITS as readonly string[]).includes(text)
}

function readOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        log: { type: 'string' },
        split: { type: 'string', default: 'md5' },
        items: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`)
  }
}
