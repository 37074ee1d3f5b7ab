/** Names inside NATS. One place, so that an operator can read here what belongs to this product. */

/** JetStream streams and the subjects they store: one subject per partition. */
export const STREAMS = {
  events: { name: 'EVENTS', subject: 'events' },
  decisions: { name: 'DECISIONS', subject: 'decisions' },
  signals: { name: 'SIGNALS', subject: 'signals' },
  rejected: { name: 'REJECTED', subject: 'rejected' },
} as const

export type StreamKind = keyof typeof STREAMS

/** Subject of a partition: `events.7`, `decisions.7`, `signals.7`, `rejected.7`. */
export function streamSubject(kind: StreamKind, partition: number): string {
  return `${STREAMS[kind].subject}.${partition}`
}

/** Request-reply subject on which the owner of a partition decides. */
export function decideSubject(partition: number): string {
  return `decide.${partition}`
}

/** NATS KV buckets. */
export const BUCKETS = {
  /** `<siteId>` → Site */
  sites: 'sites',
  /** `<siteId>.slot.<slotId>` → Slot, `<siteId>.content.<contentId>` → Content */
  catalog: 'catalog',
  /** `<siteId>` → TrackingPlan */
  plans: 'plans',
  /** `<siteId>.features`, `….patterns`, `….segments` → the items of a DefinitionSet, with their earlier revisions */
  definitions: 'definitions',
  /** `<partition>.<siteId>.<keyed hash of the visitor>` → Profile, see `profileKey`; of a later generation see `profilesBucket` */
  profiles: 'profiles',
  /** `profiles.<partition>`, `warehouse.<stream>` → how far a role got */
  positions: 'positions',
  /** `<group>.member.<id>` → who takes part in sharing, `<group>.lease.<resource>` → who holds it */
  leases: 'leases',
  /**
   * `installation` → how many partitions and streams there are; `profiles` → the generation of the profiles that counts;
   * `people` → the key that people are hashed with
   */
  meta: 'meta',
  /** `<jobId>` → PersonJob */
  jobs: 'jobs',
  /** `<siteId>.<keyed hash of the id>` → Tombstone: what is from before the deletion of a person is refused */
  tombstones: 'tombstones',
} as const

/** The bucket of a generation of profiles: each rebuild makes one beside the one in use. */
export function profilesBucket(generation: number): string {
  return generation === 0 ? BUCKETS.profiles : `${BUCKETS.profiles}_${generation}`
}

/**
 * Any text as one token of a KV key. KV keys allow `A–Z a–z 0–9 - _ = / .`; everything but letters, digits, `-` and
 * `_` becomes `=` and two hex digits per UTF-8 byte. Reversible.
 */
export function keyToken(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/gu, character => {
    let token = ''
    for (const byte of new TextEncoder().encode(character)) token += `=${byte.toString(16).padStart(2, '0')}`
    return token
  })
}

/** The text of a `keyToken`. */
export function fromKeyToken(token: string): string {
  const bytes: number[] = []
  for (let i = 0; i < token.length; i++) {
    if (token[i] === '=') {
      bytes.push(Number.parseInt(token.slice(i + 1, i + 3), 16))
      i += 2
    } else bytes.push(token.charCodeAt(i))
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}
