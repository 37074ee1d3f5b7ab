import type { StreamKind } from '@slotstream/protocol'
import { KINDS, UsageError } from '@slotstream/runtime'

/** The number of streams that a kind is to have. */
export interface Move {
  kind: StreamKind
  count: number
}

export const USAGE = `usage: npm run streams [-- <kind> <count>]
  without arguments: the streams there are
  <kind>    ${KINDS.join(', ')}
  <count>   streams that are to share the kind's partitions from now on`

/** Returns the command line as a move; undefined where the streams are only shown. @throws UsageError */
export function parseArguments(args: string[]): Move | undefined {
  if (args.length === 0) return undefined
  const [name, text = '', ...others] = args
  const kind = KINDS.find(each => each === name)
  if (!kind || others.length > 0 || !/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(USAGE)
  return { kind, count: Number(text) }
}
