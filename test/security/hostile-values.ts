import type { EventEnvelope, Profile, StoredWebhook, StreamKind, WebhookLetter } from '@slotstream/protocol'

const AT = '2026-01-01T00:00:00.000Z'

/** Texts that are no value of ours wherever they stand. */
const NONSENSE = [
  '',
  'not JSON',
  '{"a":',
  '\u0000',
  'null',
  'true',
  '7',
  '1e999',
  '"text"',
  '[]',
  '[null]',
  '{}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '['.repeat(20_000) + ']'.repeat(20_000),
]

/** What a stream message of ours must have, and what else may stand there. */
const WRONG = [
  null,
  undefined,
  0,
  -1,
  1e300,
  true,
  '',
  ' ',
  '\u0000',
  [],
  {},
  [[]],
  'x'.repeat(5_000),
  { a: { b: [] } },
]

const VALUE_ID = '00000000-0000-4000-8000-000000000000'

/** The head of a catalog whose latest changes are not there. */
const CATALOG_HEAD = {
  ...{ revision: 7, slots: 1, content: 1, expressions: 0 },
  history: [
    {
      ...{ revision: 7, at: AT, slots: 1, content: 1, added: 1, changed: 0, removed: 0, changes: ['+ slot evil'] },
      value: { id: VALUE_ID, pieces: 1, bytes: 10 },
    },
  ],
}

/** Names matrices of items that are not there. */
const ITEMS = {
  ...{ version: 1, id: VALUE_ID, at: 1, browsers: 1, items: 2, policies: ['knn'] },
  matrices: { knn: { chunks: 1, sha256: '0'.repeat(64) } },
}

/** A message that fits, of each stream. */
export const GOOD = {
  events: {
    siteId: 'demo',
    visitorId: 'hostile',
    receivedAt: AT,
    messages: [{ messageId: 'm1', type: 'track', event: 'E', anonymousId: 'hostile', timestamp: AT }],
  } satisfies EventEnvelope,
  decisions: {
    siteId: 'demo',
    visitorId: 'hostile',
    receivedAt: AT,
    decisions: [
      {
        ...{ decisionId: 'd1', timestamp: AT, slotId: 's', anonymousId: 'hostile', policy: 'p', policyVersion: '1' },
        ...{ outcome: 'served', holdout: false, contentIds: [], propensities: [], position: 1, candidates: [] },
        ...{ excluded: [], features: {}, seed: 's' },
      },
    ],
  },
  signals: {
    siteId: 'demo',
    visitorId: 'hostile',
    receivedAt: AT,
    signals: [
      {
        ...{ signalId: 's1', signal: 'repeated_view', messageId: 'm1', timestamp: AT, anonymousId: 'hostile' },
        ...{ userId: '', sessionId: '', details: {} },
      },
    ],
  },
  rejected: {
    siteId: 'demo',
    receivedAt: AT,
    rejected: [{ messageId: null, code: 'too_large', reason: 'r', payload: '{}' }],
  },
  deliveries: {
    siteId: 'demo',
    visitorId: 'hostile',
    receivedAt: AT,
    deliveries: [
      {
        ...{ attemptId: 'a1', webhookId: 'w1', deliveryId: 'd1', signalId: 's1', signal: 'left', timestamp: AT },
        ...{ anonymousId: 'hostile', userId: '', attemptedAt: AT, attempt: 1, outcome: 'failed', status: 500 },
        ...{ error: 'status_500', durationMs: 1, nextAt: AT },
      },
    ],
  },
  learning: {
    ...{ siteId: 'demo', visitorId: 'hostile', anonymousId: 'hostile', receivedAt: AT, seq: 7, stored: 3 },
    records: [
      {
        ...{ decisionId: 'd1', slotId: 'hero', contentId: 'a', position: 1, at: Date.parse(AT), reward: 10_000 },
        ...{ previous: 0, segments: ['vip'], features: [0, 1] },
      },
    ],
  },
} satisfies Record<StreamKind, object>

const PROFILE: Profile = {
  ...{ siteId: 'demo', visitorId: 'hostile', anonymousId: 'hostile', userId: '', firstSeen: AT, lastSeen: AT },
  ...{ sessions: 1, session: { id: 's', startedAt: AT, lastAt: AT }, events: 1, affinities: {}, affinitiesAt: AT },
  ...{ traits: {}, segments: [], seq: 1, recent: [], signalMemory: {} },
  patterns: { version: 'v', due: Date.parse(AT), of: {} },
}

const WEBHOOK = {
  webhookId: 'evil',
  siteId: 'demo',
  url: 'https://example.com/',
  signals: [],
  createdAt: AT,
} satisfies Partial<StoredWebhook>

const LETTER: WebhookLetter = {
  ...{ stream: 'SIGNALS', seq: 1, index: 0, signalId: 's1', signal: 'left', encoding: 'text', payload: '{}' },
  ...{ error: 'timeout', status: 0, attempts: 1, failedAt: AT },
}

/** Each field of an object, and of the first entries of its lists, in turn holding what it must not. */
function* spoilt(good: object, wrong: readonly unknown[]): Generator<string> {
  for (const name of Object.keys(good)) for (const value of wrong) yield JSON.stringify({ ...good, [name]: value })
  for (const [name, list] of Object.entries(good))
    if (Array.isArray(list) && typeof list[0] === 'object' && list[0] !== null)
      for (const entry of spoilt(list[0], wrong)) yield JSON.stringify({ ...good, [name]: [JSON.parse(entry)] })
}

/** Messages that a stream should not hold. */
export function hostileMessages(kind: StreamKind): string[] {
  return [...NONSENSE, ...spoilt(GOOD[kind], WRONG)]
}

/**
 * Values that a bucket should not hold, by key.
 *
 * @param partition of the visitor `hostile`
 * @param profileKey the key of that visitor's profile
 * @param layout what `installation` of the bucket `meta` holds
 */
export function hostileEntries(
  partition: number,
  profileKey: string,
  layout: object,
): Record<string, { key: string; values: string[] }[]> {
  const site = { siteId: 'evil', name: 'Evil', writeKeys: ['evil-key'], allowedOrigins: ['*'], debug: false }
  const slot = { id: 'evil', policy: { type: 'random' }, count: 1, holdout: 0 }
  const content = { id: 'evil', slots: ['evil'], category: 'c', payload: {} }
  const plan = { mode: 'enforce', unplanned: 'allow', schemas: { E: { '1-0-0': { type: 'object' } } } }
  const feature = { name: 'evil', source: { event: 'E', where: {} }, aggregate: 'count', window: 'lifetime' }
  const some = (good: object) => [...NONSENSE, ...spoilt(good, WRONG.slice(0, 8))]
  return {
    sites: [{ key: 'evil', values: some(site) }],
    catalog: [
      { key: 'demo.slot.evil', values: some(slot) },
      { key: 'demo.content.evil', values: some(content) },
      { key: 'demo.neither.evil', values: ['{}'] },
      { key: 'demo.published', values: some({ revision: 1, at: '2026-01-01T00:00:00.000Z' }) },
    ],
    catalog_history: [
      { key: 'demo.head', values: some(CATALOG_HEAD) },
      { key: 'demo.draft', values: some({ at: '', value: CATALOG_HEAD.history[0]!.value }) },
      { key: `demo.value.${VALUE_ID}.0`, values: NONSENSE },
    ],
    plans: [
      { key: 'evil', values: some(plan) },
      { key: 'demo', values: [...NONSENSE, '{"mode":"enforce","schemas":{"E":{"1-0-0":{"type":"nonsense"}}}}'] },
    ],
    definitions: [
      { key: 'demo.features', values: some({ items: [feature] }) },
      { key: 'demo.patterns', values: some({ items: [{ name: 'evil', sequence: [] }] }) },
      { key: 'demo.segments', values: some({ items: [{ name: 'evil', where: {} }] }) },
      { key: 'demo.neither', values: ['{}'] },
      { key: 'demo.features.more', values: ['{}'] },
    ],
    webhooks: [{ key: 'demo.evil', values: some(WEBHOOK) }],
    webhook_letters: [{ key: `${partition}.demo.evil.s1`, values: some(LETTER) }],
    profiles: [{ key: profileKey, values: some(PROFILE) }],
    timers: [{ key: profileKey, values: some({ due: 1 }) }],
    positions: [
      { key: `profiles.${partition}`, values: some({ seq: 1 }) },
      { key: 'warehouse.EVENTS', values: some({ first: 1, last: 2, done: true }) },
      { key: `webhooks.${partition}`, values: some({ seq: 1 }) },
      { key: `webhooks.${partition}.evil`, values: some({ through: 1, pending: [] }) },
    ],
    item_models: [
      { key: 'demo.manifest', values: some(ITEMS) },
      { key: `demo.${VALUE_ID}.knn.0`, values: NONSENSE },
    ],
    leases: [
      { key: 'profiles.lease.0', values: some({ owner: 'nobody', epoch: 1 }) },
      { key: 'warehouse.lease.events', values: some({ owner: 'nobody', epoch: 1 }) },
      { key: 'warehouse.member.nobody', values: some({ name: 'nobody' }) },
    ],
    meta: [
      { key: 'installation', values: some(layout) },
      { key: 'profiles', values: some({ generation: 0 }) },
    ],
  }
}
