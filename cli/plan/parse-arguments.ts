import { PLAN_MODES, type PlanMode, type TrackingPlan } from '@slotstream/protocol'
import { collectorOnThisMachine, type Environment } from '@slotstream/runtime/settings'
import { readOptions } from '../read-options.js'
import { UsageError } from '../usage-error.js'

export const USAGE = `npm run plan -- COMMAND [options]

The tracking plan of a site: JSON Schemas in a folder, as <event>/<version>.json. See docs/tracking-plan.md.

  check             whether the schemas can be used, and whether each version says what it changes
  types             TypeScript for the SDK: the events and their properties
  push  --site ID   publish the schemas
  pull  --site ID   write published schemas that the folder lacks
  list  --site ID   what is published
  mode MODE --site ID   off, warn (break it, be tagged) or enforce (break it, be rejected)

  --schemas FOLDER  where the schemas are, default schemas
  --out FILE        types: where to, default standard output
  --mode MODE       push: change the mode, too
  --unplanned WHAT  push, mode: events that are not in the plan are to "allow", or a "violation"
  --prune           push: take out what the folder doesn't have
  --force           push: although a number says too little, or a published version gets other content
  --dry-run         push: say what would change
  --collector URL   default http://localhost:PORT, where PORT is 3000, or that of npm start

ADMIN_TOKEN: the admin token; without it, the one that npm start keeps under DATA_DIR (default .data).
`

type Settings = Partial<Pick<TrackingPlan, 'mode' | 'unplanned'>>

/** Work that the command is to do. */
export type Command =
  | { do: 'help' }
  | { do: 'check'; folder: string }
  | { do: 'types'; folder: string; out: string | undefined }
  | ({ site: string; collector: string } & (
      | { do: 'push'; folder: string; settings: Settings; prune: boolean; force: boolean; dryRun: boolean }
      | { do: 'pull'; folder: string }
      | { do: 'list' }
      | { do: 'mode'; settings: Settings }
    ))

/**
 * Parses the command line.
 *
 * @throws UsageError, ConfigurationError
 */
export function parseArguments(args: string[], env: Environment): Command {
  const { values, positionals } = read(args, collectorOnThisMachine(env))
  const [action, mode, ...more] = positionals
  if (values.help || (args.length === 0 && action === undefined)) return { do: 'help' }
  if (more.length > 0 || (mode !== undefined && action !== 'mode')) throw new UsageError(USAGE)
  const folder = values.schemas
  if (action === 'check') return { do: 'check', folder }
  if (action === 'types') return { do: 'types', folder, out: values.out }
  if (!['push', 'pull', 'list', 'mode'].includes(action ?? '')) throw new UsageError(USAGE)
  const { site, collector } = values
  if (!site) throw new UsageError(`--site is missing: whose plan?\n\n${USAGE}`)
  const settings = settingsOf(mode ?? values.mode, values.unplanned)
  if (action === 'mode') {
    if (Object.keys(settings).length === 0) throw new UsageError(`which mode? off, warn or enforce\n\n${USAGE}`)
    return { do: 'mode', site, collector, settings }
  }
  if (action === 'pull') return { do: 'pull', site, collector, folder }
  if (action === 'list') return { do: 'list', site, collector }
  const { prune, force, 'dry-run': dryRun } = values
  return { do: 'push', site, collector, folder, settings, prune, force, dryRun }
}

function settingsOf(mode: string | undefined, unplanned: string | undefined): Settings {
  if (mode !== undefined && !PLAN_MODES.includes(mode as PlanMode))
    throw new UsageError(`"${mode}" is no mode: it must be ${PLAN_MODES.join(', ')}`)
  if (unplanned !== undefined && unplanned !== 'allow' && unplanned !== 'violation')
    throw new UsageError(`--unplanned is "${unplanned}": it must be allow or violation`)
  return { ...(mode ? { mode: mode as PlanMode } : {}), ...(unplanned ? { unplanned } : {}) }
}

function read(args: string[], collector: string) {
  return readOptions(
    args,
    {
      schemas: { type: 'string', default: 'schemas' },
      site: { type: 'string' },
      collector: { type: 'string', default: collector },
      out: { type: 'string' },
      mode: { type: 'string' },
      unplanned: { type: 'string' },
      prune: { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    USAGE,
  )
}
