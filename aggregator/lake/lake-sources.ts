import { type Installation, KINDS } from '@slotstream/runtime'
import { SPECS, type StreamSpec } from '../warehouse/tables/specs.js'

/** A stream whose rows the lake keeps, and their table. */
export interface LakeSource {
  stream: string
  /** The stream's positions begin after this. */
  base: number
  table: string
  key?: StreamSpec['key']
}

/** Tables that the lake keeps: everything that was loaded and never changes. Profiles follow from events. */
export function lakeSources({ streams, past }: Pick<Installation, 'streams' | 'past'>): LakeSource[] {
  return KINDS.flatMap(kind => {
    const { table, key }: StreamSpec = SPECS[kind]
    return [...past[kind], ...streams[kind]].map(({ name, base }) => ({
      stream: name,
      base,
      table,
      // Rows of which only some have a key are told apart by their places.
      ...(key && !key.where && { key }),
    }))
  })
}
