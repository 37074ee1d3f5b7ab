import { keyToken } from './key-token.js'

/** Returns the key of the warehouse's position in a stream, in the bucket `positions`. */
export function warehousePositionKey(stream: string): string {
  return `warehouse.${stream}`
}

/** Returns the key of a partition's checkpoint in a bucket of profiles: what was applied up to it is stored there. */
export function checkpointKey(bucket: string, partition: number): string {
  return `${bucket}.${partition}`
}

/** Returns the key of the revision up to which a partition's old profiles were looked through. */
export function sweptKey(bucket: string, partition: number): string {
  return `${bucket}.${partition}.swept`
}

/**
 * Returns the key of what a partition's signals were taken up to, for webhooks; with a webhook, of what it still waits
 * for.
 */
export function webhookPositionKey(partition: number, webhookId?: string): string {
  return webhookId === undefined ? `webhooks.${partition}` : `webhooks.${partition}.${webhookId}`
}

/** Returns the key of the night for which a job of the role `batch` was last done. */
export function nightKey(job: string): string {
  return `jobs.${job}`
}

/** Key in the bucket `learning` of what says up to which message of each stream policies have learned. */
export const LEARNED_KEY = 'manifest'

/** Key of how far draws were audited, in each stream of decisions. */
export const AUDITED_KEY = 'audits.read'

/** Returns the key of how the candidates of an experiment's tournament stand. */
export function standingsKey(siteId: string, experimentId: string): string {
  return `tournaments.${siteId}.${experimentId}`
}

/** Returns the key of the audits of a slot's draws; with `*` and `*` the pattern of all of them. */
export function auditKey(siteId: string, slotId: string): string {
  return `audits.slot.${siteId}.${slotId === '*' ? slotId : keyToken(slotId)}`
}
