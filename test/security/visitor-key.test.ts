import {
  checkContent,
  checkMessage,
  checkSite,
  checkSlot,
  checkSlotsRequest,
  isoTime,
  joined,
  keyToken,
  partitionOf,
  SENDERS,
  shareOf,
  visitorIdOf,
  visitorKeySql,
  visitorText,
} from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyText } from '#aggregator/warehouse/rows/row.js'
import { readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { checkImported } from '#collector/admin/decisions/import-decisions.js'
import { eventPublications, rejectedPublications } from '#collector/intake/publish/publications.js'
import { type ClickHouse, createWorld, startClickHouse, stored, type World } from '../integration/warehouse-world.js'
import { signalIdOf } from '../support/signals.js'
import { until } from '../support/until.js'

/** Ids that a key made carelessly would take for each other. None holds NUL: messages with one are rejected. */
const NASTY = [
  ...[
    '',
    'a',
    'ab',
    'b',
    'user:',
    'user:bob',
    'visitor:',
    'visitor:user:bob',
    'visitor:visitor:a',
    'User:bob',
    ' user:bob',
  ],
  ...[
    'user:user:bob',
    '1:a',
    '2:ab',
    '1:a1:b',
    'a1:b',
    ':',
    '.',
    '*',
    '>',
    '=2e',
    'a.b',
    'a b',
    'ä',
    'a\u0308',
    '💥',
    '\ufffd',
  ],
  ...["it's", '"', '\\', '\\0', '%00', '\n', '\t', '0', '-1', 'null', '{}', `user:${'x'.repeat(251)}`, 'x'.repeat(256)],
]
const pairs = NASTY.flatMap(a => NASTY.map(b => [a, b] as const))

describe('the visitor key', () => {
  let clickhouse: ClickHouse
  let world: World
  beforeAll(async () => {
    clickhouse = await startClickHouse()
    world = await createWorld(clickhouse)
  })
  afterAll(async () => {
    await world?.stop()
    await clickhouse?.stop()
  })

  it('is the same in SQL as in TypeScript', async () => {
    const result = await clickhouse.client.query({
      query: `SELECT ${visitorKeySql('a', 'u')} AS visitor FROM
        (SELECT tupleElement(pair, 1) AS a, tupleElement(pair, 2) AS u FROM
          (SELECT arrayJoin(JSONExtract({ids:String}, 'Array(Tuple(String, String))')) AS pair))`,
      query_params: { ids: JSON.stringify(pairs) },
      format: 'JSONEachRow',
    })
    const found = (await result.json<{ visitor: string }>()).map(({ visitor }) => visitor)
    expect(found).toEqual(pairs.map(([anonymousId, userId]) => visitorIdOf({ anonymousId, userId })))
  })

  it('tells browsers and persons apart, whatever their ids', () => {
    const named = NASTY.filter(id => id !== '')
    const keys = named.flatMap(id => [visitorIdOf({ anonymousId: id }), visitorIdOf({ userId: id })])
    expect(new Set(keys).size).toBe(2 * named.length)
  })

  it('knows a message of an anonymousId that looks like a person’s key again', async () => {
    const loader = world.load()
    const messages = NASTY.filter(id => id !== '').map((anonymousId, n) => stored({ anonymousId, messageId: `m${n}` }))
    for (const message of messages) await world.publish([message])
    const count = () => world.number(`SELECT count() FROM slotstream.events WHERE event = 'Tested'`)
    await until('all are loaded', count, n => n === messages.length)
    await loader.stop()
    // Once within what the loader remembers, once after it began anew.
    for (const _again of [1, 2]) {
      const restarted = world.load()
      for (const message of messages) await world.publish([message])
      await world.publish([stored({ event: 'Last' })])
      await until(
        'the last is loaded',
        () => world.number(`SELECT count() FROM slotstream.events WHERE event = 'Last'`),
        n => n === _again,
      )
      await restarted.stop()
    }
    expect(await count()).toBe(messages.length)
  })

  it('stands in the views as its owner writes it', async () => {
    const views = (await readMigrations()).map(({ sql }) => sql).filter(sql => /VIEW.*derived_visitors/.test(sql))
    expect(views.at(-1)).toContain(`${visitorKeySql('anonymous_id', "''")} AS visitor`)
    const [{ code } = { code: '' }] = await world.query<{ code: string }>(
      `SELECT create_table_query AS code FROM system.tables WHERE database = 'slotstream' AND name = 'derived_visitors'`,
    )
    expect(code).toContain(`startsWith(anonymous_id, 'visitor:')`)
  })
})

describe('keys that are made of several texts', () => {
  const triples = NASTY.slice(0, 24).flatMap(a => NASTY.slice(0, 24).map(b => [a, b] as const))

  const unique = (keys: string[]) => expect(new Set(keys).size).toBe(keys.length)

  it('are never equal for different texts', () => {
    unique([
      ...triples.map(parts => joined(parts)),
      ...NASTY.map(one => joined([one])),
      joined([]),
      joined(['a', '', '']),
    ])
    unique(SENDERS.flatMap(sender => triples.map(([visitor, id]) => keyText({ siteId: 's', sender, visitor, id }))))
    unique(triples.map(([visitor, id]) => signalIdOf('s', 'public', visitor, id, 'repeated_view')))
    unique(['s', 's2', 's-1'].flatMap(siteId => NASTY.map(id => visitorText(siteId, id))))
    unique(NASTY.map(keyToken))
  })

  it('are those under which the broker knows messages again', () => {
    const message = (id: string) => ({ id, raw: {}, index: 0, changed: true, added: undefined })
    const events = SENDERS.flatMap(sender =>
      triples.flatMap(([visitorId, batchId]) =>
        ['m', 'n'].flatMap(id =>
          eventPublications(
            { siteId: 's', visitorId, sender, receivedAt: '', messages: [message(id)] },
            batchId,
            8,
          ).map(({ msgId }) => msgId),
        ),
      ),
    )
    const rejected = (['public', 'secret'] as const).flatMap(sender =>
      triples.flatMap(([batchId, payload]) =>
        rejectedPublications(
          {
            siteId: 's',
            receivedAt: '',
            sender,
            rejected: [{ messageId: null, code: 'too_deep', reason: '', payload }],
          },
          batchId,
          8,
        ).map(({ msgId }) => msgId),
      ),
    )
    unique([...events, ...rejected])
  })

  it('rest on ids without NUL, which is rejected wherever an id comes in', () => {
    const id = 'a\0b'
    const now = Date.now()
    for (const field of ['messageId', 'anonymousId', 'userId', 'previousId', 'groupId'])
      expect(checkMessage({ type: 'page', anonymousId: 'a', [field]: id }, { received: now }).ok).toBe(false)
    for (const field of ['anonymousId', 'userId'])
      expect(checkSlotsRequest({ anonymousId: 'a', slots: [{ id: 's' }], [field]: id }).ok).toBe(false)
    expect(checkSlotsRequest({ anonymousId: 'a', slots: [{ id }] }).ok).toBe(false)
    const decision = { decisionId: 'd', slotId: 's', anonymousId: 'a', timestamp: isoTime(now) }
    expect(checkImported(decision, now).ok).toBe(true)
    for (const field of ['decisionId', 'slotId', 'anonymousId', 'userId', 'sessionId', 'pageViewId'])
      expect(checkImported({ ...decision, [field]: id }, now).ok).toBe(false)
    for (const siteId of [id, 'a.b', 'A', '']) expect(checkSite({ siteId, writeKeys: ['k'] }).ok).toBe(false)
    expect(checkSlot({ id }).ok || checkContent({ id, slots: [] }).ok).toBe(false)
  })

  it('keep their values: partitions and holdouts of visitors do not move', () => {
    expect(['a', 'user:bob', 'ä'].map(id => partitionOf('shop', id, 32))).toEqual([7, 11, 3])
    expect(['a', 'user:bob', 'ä'].map(id => shareOf('holdout', 'shop', id).toFixed(6))).toEqual([
      '0.936692',
      '0.245633',
      '0.357746',
    ])
  })
})
