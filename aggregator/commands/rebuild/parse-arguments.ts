import { UsageError } from '@slotstream/runtime'

/** Name of the models of slots among the things that can be rebuilt. */
export const MODELS = 'models'

/** Names of the tables to rebuild, and their source. */
export interface Command {
  /**
   * Source of profiles: the stream, or the table `events` for messages that the stream no longer has. Before the
   * latter, `lake` puts what the lake has and the tables lack back into them.
   */
  from: 'stream' | 'events' | 'lake'
  /** `profiles`, `models` and names of derived tables; undefined: everything but models. */
  only?: string[]
}

export const USAGE = `usage: npm run rebuild -- --from stream|events|lake [--only profiles,<table>,…]
       npm run rebuild -- models
  --from stream   profiles from all the stream has; rejected when it doesn't begin at the beginning any more
  --from events   profiles from the table events where the stream has no more, then from the stream
  --from lake     rows that the lake (LAKE_DIR) has and the tables lack are put back first, then as --from events
  --only          profiles, or derived tables by name; default: all of them
  models          what policies have learned, from the table learning_outcomes`

/** Returns the command line as a command. @throws UsageError */
export function parseArguments(args: string[]): Command {
  if (args.length === 1 && args[0] === MODELS) return { from: 'events', only: [MODELS] }
  const values = new Map<string, string>()
  for (let i = 0; i < args.length; i++) {
    const [, name = '', joined] = /^--(from|only)(?:=(.*))?$/.exec(args[i]!) ?? []
    const value = joined ?? args[++i]
    if (!name || !value || values.has(name)) throw new UsageError(USAGE)
    values.set(name, value)
  }
  const from = values.get('from')
  if (from !== 'stream' && from !== 'events' && from !== 'lake') throw new UsageError(USAGE)
  const only = values
    .get('only')
    ?.split(',')
    .map(part => part.trim())
  if (only?.some(part => !/^\w+$/.test(part))) throw new UsageError(USAGE)
  return { from, ...(only && { only }) }
}
