import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { isId, isSiteId } from '@slotstream/protocol'
import { UsageError } from '@slotstream/runtime'

export const FORMATS = ['open-bandit', 'dsjson'] as const

/** A log that a slot is to learn from. */
export interface ImportCommand {
  do: 'import'
  site: string
  slot: string
  log: string
  /** Name by which it is listed and removed. */
  name: string
  /** Undefined: what the first line looks like. */
  format?: (typeof FORMATS)[number]
  /** True if its times stay as they are. */
  keepTimes: boolean
}

/** Work that the command is to do. */
export type Command = { do: 'list'; site: string } | ImportCommand | { do: 'remove'; site: string; name: string }

export const USAGE = `usage: npm run learning -- import --site ID --slot ID --log FILE [options]
       npm run learning -- list --site ID
       npm run learning -- remove --site ID --name NAME

import lets the policies of a slot learn from a log, once, however often it is done:

  --log FILE       Open Bandit CSV, or DSJSON of Vowpal Wabbit and Azure Personalizer
  --name NAME      name by which it is listed and removed, default that of the file
  --format FORMAT  ${FORMATS.join(' or ')}, default what the first line looks like
  --keep-times     leave its times as they are: what is older than 90 days counts no more. By default they are moved
                   together so that the log ends now

remove takes away what was learned from it, without a trace.`

/** Returns the command line as a command. @throws UsageError */
export function parseArguments(args: string[]): Command {
  const { values, positionals } = read(args)
  const [action, ...more] = positionals
  const { site = '' } = values
  if (more.length > 0 || !isSiteId(site)) throw new UsageError(USAGE)
  if (action === 'list') return { do: 'list', site }
  if (action === 'remove' && isId(values.name)) return { do: 'remove', site, name: values.name }
  const { slot, log } = values
  if (action !== 'import' || !isId(slot) || log === undefined) throw new UsageError(USAGE)
  const name = values.name ?? basename(log)
  if (!isId(name)) throw new UsageError(USAGE)
  const format = FORMATS.find(each => each === values.format)
  if (values.format !== undefined && format === undefined)
    throw new UsageError(`--format is "${values.format}": it must be ${FORMATS.join(' or ')}\n${USAGE}`)
  return { do: 'import', site, slot, log, name, ...(format && { format }), keepTimes: values['keep-times'] ?? false }
}

function read(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        site: { type: 'string' },
        slot: { type: 'string' },
        log: { type: 'string' },
        name: { type: 'string' },
        format: { type: 'string' },
        'keep-times': { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
}
