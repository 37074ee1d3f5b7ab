/** NATS KV buckets. A bucket is a stream of JetStream with a subject for each key. */
export const BUCKETS = {
  /** `<siteId>` → Site */
  sites: 'sites',
  /**
   * `<siteId>.slot.<slotId>` → Slot, `<siteId>.content.<contentId>` → Content, `<siteId>.published` → CatalogPublished
   */
  catalog: 'catalog',
  /**
   * `<siteId>.head` → the catalog's revision and history, `<siteId>.draft` → its draft, `<siteId>.value.<id>.<n>` →
   * pieces of what these name. Apart from the catalog, which every process that decides or collects holds in memory
   */
  catalogHistory: 'catalog_history',
  /** `<siteId>` → TrackingPlan */
  plans: 'plans',
  /**
   * `<siteId>.features`, `….patterns`, `….segments` → the items of a DefinitionSet; `….experiments` → an ExperimentSet;
   * `builtin` → StoredBuiltIn
   */
  definitions: 'definitions',
  /** `<siteId>.<webhookId>` → StoredWebhook */
  webhooks: 'webhooks',
  /** `<partition>.<siteId>.<webhookId>.<signalId>` → WebhookLetter: a signal that a webhook did not take in time */
  webhookLetters: 'webhook_letters',
  /**
   * `<partition>.<siteId>.<keyed hash of the visitor>` → Profile, see `profileKey`; of a later generation see
   * `profilesBucket`
   */
  profiles: 'profiles',
  /**
   * `<key of a profile>` → when something is due for its visitor without a message, in milliseconds since the epoch:
   * `{due}`
   */
  timers: 'timers',
  /**
   * `profiles.<partition>`, `warehouse.<stream>`, `webhooks.<partition>`, `webhooks.<partition>.<webhookId>` → how far
   * a role got, `jobs.<job>` → the night it was last done for, `audits.read`, `audits.slot.<siteId>.<slotId>` → how far
   * draws were audited, and the audits of a slot, `tournaments.<siteId>.<experimentId>` → how its candidates stand
   */
  positions: 'positions',
  /**
   * `manifest` → which snapshot of what was learned counts; `chunk.<snapshot>.<number>` → its parts: sums, and no
   * person
   */
  learning: 'learning',
  /**
   * `<siteId>.manifest` → which matrices of items count; `<siteId>.<fit>.<policy>.<number>` → their parts: how much
   * items say for one another, and no person
   */
  itemModels: 'item_models',
  /** `<group>.member.<id>` → who takes part in sharing, `<group>.lease.<resource>` → who holds it */
  leases: 'leases',
  /**
   * `installation` → how many partitions and streams there are; `profiles` → the generation of the profiles that
   * counts; `people` → the key that people are hashed with; `filled.<bucket of profiles>.<siteId>` → FilledRevisions;
   * `contents.<siteId>.<partition>` → ContentFills; `import.<siteId>.<name>` → a log that a slot learned from
   */
  meta: 'meta',
  /** `<jobId>` → PersonJob */
  jobs: 'jobs',
  /** `<siteId>.<keyed hash of the id>` → Tombstone: what is from before the deletion of a person is rejected */
  tombstones: 'tombstones',
} as const

/**
 * Buckets that collectors read, and no others: a collector faces the internet. What a visitor's profile has is asked of
 * the owner of its partition.
 */
export const COLLECTOR_BUCKETS = [
  'sites',
  'catalog',
  'catalogHistory',
  'plans',
  'definitions',
  'webhooks',
  'meta',
  'jobs',
  'tombstones',
] as const satisfies (keyof typeof BUCKETS)[]

/** Prefix of the client of NATS KV: with a bucket's name behind it, it is the name of its stream. */
const STREAM_PREFIX = 'KV_'

/** The same for the subjects of its keys. */
const SUBJECT_PREFIX = '$KV.'

/** Returns the name of the stream of a bucket: `profiles_1` is in `KV_profiles_1`. */
export function bucketStream(bucket: string): string {
  return `${STREAM_PREFIX}${bucket}`
}

/** Returns the name of the bucket whose stream this is; undefined where it is no stream of a bucket. */
export function bucketOfStream(stream: string): string | undefined {
  return stream.startsWith(STREAM_PREFIX) ? stream.slice(STREAM_PREFIX.length) : undefined
}

/** Returns the subject of a key, `$KV.profiles.7.…`. Also of a pattern: `>` for all keys. */
export function keySubject(bucket: string, key: string): string {
  return `${SUBJECT_PREFIX}${bucket}.${key}`
}

/** Returns the key whose subject in this bucket this is. */
export function keyOfSubject(bucket: string, subject: string): string {
  return subject.slice(keySubject(bucket, '').length)
}

/** Tells whether a subject is that of a key, in whichever bucket. */
export function isKeySubject(subject: string): boolean {
  return subject.startsWith(SUBJECT_PREFIX)
}

/** Returns the bucket of a generation of profiles: each rebuild creates one beside the one in effect. */
export function profilesBucket(generation: number): string {
  return generation === 0 ? BUCKETS.profiles : `${BUCKETS.profiles}_${generation}`
}

/** Returns the generation of profiles that a bucket holds; undefined where it holds none. */
export function generationOf(bucket: string): number | undefined {
  if (bucket === BUCKETS.profiles) return 0
  const [, digits] = /^profiles_([1-9]\d*)$/.exec(bucket) ?? []
  return digits === undefined ? undefined : Number(digits)
}
