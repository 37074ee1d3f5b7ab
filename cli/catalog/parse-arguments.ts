import { collectorOnThisMachine, type Environment } from '@slotstream/runtime/settings'
import { readOptions } from '../read-options.js'
import { UsageError } from '../usage-error.js'

export const USAGE = `npm run catalog -- COMMAND [FOLDER] [options]

A site's slots and content: slots.json and content.json in a folder, by default catalog, and decision tests in its
folder tests. Each is a list. Of a file that is not there, nothing is changed. See docs/catalog.md.

  check FOLDER             whether the files can be used, and the decision tests pass
  types FOLDER             TypeScript for the SDK: the slots and their payloads
  diff  FOLDER --site ID   what a push would change, and what enters and leaves slots
  push  FOLDER --site ID   publish the files: each replaces all that the site has of its kind
  pull  FOLDER --site ID   write what is published

  --dry-run         push: say what would change
  --draft           push: add to the draft, which is not served until it is published
  --out FILE        types: where to, default standard output
  --force           pull: write over files with other content
  --collector URL   default http://localhost:PORT, where PORT is 3000, or that of npm start

ADMIN_TOKEN: the admin token; without it, the one that npm start keeps under DATA_DIR (default .data).
`

/** Work that the command is to do. */
export type Command =
  | { do: 'help' }
  | { do: 'check'; folder: string }
  | { do: 'types'; folder: string; out: string | undefined }
  | ({ site: string; collector: string; folder: string } & (
      | { do: 'diff' }
      | { do: 'push'; dryRun: boolean; draft: boolean }
      | { do: 'pull'; force: boolean }
    ))

/** Parses the command line. Throws UsageError, ConfigurationError. */
export function parseArguments(args: string[], env: Environment): Command {
  const { values, positionals } = read(args, collectorOnThisMachine(env))
  const [action, folder = 'catalog', ...more] = positionals
  if (values.help || (args.length === 0 && action === undefined)) return { do: 'help' }
  if (more.length > 0 || !['check', 'types', 'diff', 'push', 'pull'].includes(action ?? '')) throw new UsageError(USAGE)
  if (action === 'check') return { do: 'check', folder }
  if (action === 'types') return { do: 'types', folder, out: values.out }
  const { site, collector, force, draft, 'dry-run': dryRun } = values
  if (!site) throw new UsageError(`--site is missing: whose catalog?\n\n${USAGE}`)
  if (action === 'diff') return { do: 'diff', site, collector, folder }
  return action === 'push'
    ? { do: 'push', site, collector, folder, dryRun, draft }
    : { do: 'pull', site, collector, folder, force }
}

function read(args: string[], collector: string) {
  return readOptions(
    args,
    {
      site: { type: 'string' },
      out: { type: 'string' },
      collector: { type: 'string', default: collector },
      force: { type: 'boolean', default: false },
      draft: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    USAGE,
  )
}
