import type { Client } from './client.js'

/** Parts by the option that turns them on. */
export const PART_NAMES = ['autoPage', 'engagement', 'webVitals', 'autoSlots', 'backgroundSync'] as const

export type PartName = (typeof PART_NAMES)[number] | 'debug'

/** A part of this package, which knows what it works with. */
export type OwnPart = (client: Client) => () => void

/** Finds a part: at once where it is in the same file, else when it has loaded. */
export type LoadPart = (name: PartName) => OwnPart | Promise<OwnPart>
