import type { Installation } from '@slotstream/runtime'
import { SPECS, type StreamSpec } from '../../warehouse/specs.js'

/** A stream whose rows the lake keeps, and their table. */
export interface LakeSource {
  stream: string
  /** The stream's positions begin after this. */
  base: number
  table: string
  key?: StreamSpec['key']
}

/** What the lake keeps: everything that was loaded and never changes. Profiles follow from events. */
export function lakeSources({ streams }: Pick<Installation, 'streams'>): LakeSource[] {
  return (['events', 'decisions', 'signals', 'rejected'] as const).flatMap(kind => {
    const { table, key }: StreamSpec = SPECS[kind]
    return streams[kind].map(({ name, base }) => ({ stream: name, base, table, ...(key && { key }) }))
  })
}
