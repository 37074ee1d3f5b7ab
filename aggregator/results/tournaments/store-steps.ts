import { isDeepStrictEqual } from 'node:util'
import type { KV } from '@nats-io/kv'
import type { AfterLook } from '@slotstream/core'
import { checkSlot, isObject, keyToken } from '@slotstream/protocol'
import { type Installation, readValue } from '@slotstream/runtime'
import type { AuditStore } from '../audits/audit-store.js'
import { goOn } from '../audits/slot-audits.js'
import { type SiteExperiments, storeChange } from '../watch/stored-experiments.js'
import type { FollowedStandings } from './follow-candidates.js'

/**
 * Resolves to why what is certain of candidates is not acted on, in plain words; undefined: it may be. Draws must be
 * sound, and the slot must still have the policy that they were compared with.
 */
export async function whyHeld(
  { catalog }: Pick<Installation['buckets'], 'catalog'>,
  audits: Pick<AuditStore, 'read'>,
  { siteId, slotId }: { siteId: string; slotId: string },
  { policy }: Pick<FollowedStandings, 'policy'>,
): Promise<string | undefined> {
  const audited = await audits.read(siteId, slotId)
  if (audited && goOn(audited).faults().length > 0) return 'what was drawn does not fit the chances that were recorded'
  const { value: slot } = await readValue(catalog, `${siteId}.slot.${keyToken(slotId)}`, checkSlot)
  if (!slot) return 'there is no such slot any more'
  return isDeepStrictEqual(slot.policy, policy)
    ? undefined
    : "the slot's policy is not the one that ran: it was changed a moment ago, or an experiment promoted another one, which is to be written into the slot"
}

/**
 * Stores steps of a tournament, and what follows from them, if the experiments are still at the revision that was
 * looked at.
 */
export async function storeSteps(
  definitions: KV,
  site: Pick<SiteExperiments, 'siteId' | 'revision'>,
  experimentId: string,
  { steps, arm, stopped }: AfterLook,
): Promise<number | undefined> {
  return storeChange(definitions, site, experimentId, ({ tournament }) => {
    const rules = isObject(tournament) ? tournament : {}
    const before: unknown[] = Array.isArray(rules.steps) ? rules.steps : []
    return {
      tournament: { ...rules, steps: [...before, ...steps], ...(arm !== undefined && { arm }) },
      ...(stopped && { stopped }),
    }
  })
}
