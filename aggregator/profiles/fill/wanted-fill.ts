import type { Features } from '@slotstream/core'

/** The features of a site to fill: those that came after a revision. */
export interface WantedFill {
  features: Features
  after: number
}
