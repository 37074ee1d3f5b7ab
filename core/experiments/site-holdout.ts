import { joined, type SiteHoldout, shareOf } from '@slotstream/protocol'

/**
 * Tells whether a person is held out of all slots of a site: by a stable hash of the tag and the person, so that it is
 * the same in each slot, on every server and with every browser. Independent of the holdouts of slots, and of
 * experiments.
 */
export function isHeldOutOfSite(siteId: string, personId: string, { share, tag = '' }: SiteHoldout): boolean {
  return share > 0 && shareOf(joined(['site holdout', tag]), siteId, personId) < share
}

/**
 * Returns the share of persons who are held out of a slot: by its own holdout, or by that of the site (independent).
 */
export function holdoutShare(ofSlot: number, ofSite: number): number {
  return ofSlot + ofSite - ofSlot * ofSite
}
