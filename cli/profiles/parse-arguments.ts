import { collectorOnThisMachine, type Environment } from '@slotstream/runtime/settings'
import { readOptions } from '../read-options.js'
import { UsageError } from '../usage-error.js'

export const USAGE = `npm run profiles -- COMMAND [FOLDER] [options]

What a site declares about profiles: features.json, patterns.json and segments.json in a folder, by default profiles.
Each is a list. Of a file that is not there, nothing is changed. See docs/profiles.md.

  check FOLDER             whether the files can be used
  diff  FOLDER --site ID   what a push would change
  push  FOLDER --site ID   publish the files: each replaces the site's set of its kind
  pull  FOLDER --site ID   write what is published

  --dry-run         push: say what would change
  --force           pull: write over files with other content
  --collector URL   default http://localhost:PORT, where PORT is 3000, or that of npm start

npm run parity compares profiles with the tables: see docs/operating.md.

ADMIN_TOKEN: the admin token; without it, the one that npm start keeps under DATA_DIR (default .data).
`

/** Work that the command is to do. */
export type Command =
  | { do: 'help' }
  | { do: 'check'; folder: string }
  | ({ site: string; collector: string; folder: string } & (
      | { do: 'diff' }
      | { do: 'push'; dryRun: boolean }
      | { do: 'pull'; force: boolean }
    ))

/**
 * Parses the command line.
 *
 * @throws UsageError, ConfigurationError
 */
export function parseArguments(args: string[], env: Environment): Command {
  const { values, positionals } = read(args, collectorOnThisMachine(env))
  const [action, folder = 'profiles', ...more] = positionals
  if (values.help || (args.length === 0 && action === undefined)) return { do: 'help' }
  if (more.length > 0 || !['check', 'diff', 'push', 'pull'].includes(action ?? '')) throw new UsageError(USAGE)
  if (action === 'check') return { do: 'check', folder }
  const { site, collector, force, 'dry-run': dryRun } = values
  if (!site) throw new UsageError(`--site is missing: whose definitions?\n\n${USAGE}`)
  if (action === 'diff') return { do: 'diff', site, collector, folder }
  return action === 'push'
    ? { do: 'push', site, collector, folder, dryRun }
    : { do: 'pull', site, collector, folder, force }
}

function read(args: string[], collector: string) {
  return readOptions(
    args,
    {
      site: { type: 'string' },
      collector: { type: 'string', default: collector },
      force: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    USAGE,
  )
}
