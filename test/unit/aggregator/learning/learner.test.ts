import { DIMENSION, type SlotModel } from '@slotstream/core'
import type { LearningEnvelope, LearningRecord } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createModelSet } from '#aggregator/learning/models.js'
import { createLearner } from '#aggregator/learning/thread/learner.js'
import type { ContentNews, ModelNews, News, StreamMessage } from '#aggregator/learning/thread/messages.js'
import { packModel, unpackModel } from '#aggregator/learning/thread/packed-model.js'

const BEGIN = Date.UTC(2026, 0, 1)

function message(seq: number, records: Partial<LearningRecord>[], changes: Partial<LearningEnvelope> = {}) {
  const base = { decisionId: 'd', slotId: 'hero', contentId: 'a', position: 1, at: BEGIN, reward: 0 }
  const envelope: LearningEnvelope = {
    ...{ siteId: 'shop', visitorId: 'v', anonymousId: 'v', receivedAt: '2026-01-01T00:00:00.000Z' },
    ...{ seq, stored: 0, records: records.map(each => ({ ...base, ...each })), ...changes },
  }
  return {
    stream: 'LEARNING',
    seq,
    position: seq,
    partition: 1,
    data: new TextEncoder().encode(JSON.stringify(envelope)),
  }
}

/** A learner whose clock is set by hand, and what it told. */
function start() {
  const told: News[] = []
  const clock = { now: BEGIN }
  const learner = createLearner(news => told.push(news), { now: () => clock.now })
  const models = () => told.splice(0).filter(news => news.type === 'model')
  const contents = () => told.splice(0).filter(news => news.type === 'contents')
  const memory = () => told.splice(0).filter(news => news.type === 'memory')
  return { learner, clock, models, contents, memory }
}

const featured = { features: [3, 1, 7, -2], segments: ['rich'] }

describe('a learner', () => {
  it('makes a model of what changed at most once a second, and of nothing else', () => {
    const { learner, clock, models } = start()
    learner.fold([message(1, [{}, { slotId: 'teaser' }])])
    expect([learner.work(), learner.work(), learner.work()]).toEqual([true, true, false])
    expect(models().map(({ slotId }) => slotId)).toEqual(['hero', 'teaser'])
    learner.fold([message(2, [{ reward: 10_000, previous: 0 }])])
    clock.now += 900
    expect(learner.work()).toBe(false)
    clock.now += 100
    expect(learner.work()).toBe(true)
    const [{ siteId, slotId, model }] = models() as [ModelNews]
    expect([siteId, slotId]).toEqual(['shop', 'hero'])
    expect(unpackModel(model!).contents.byId.get('a')).toEqual({ views: 1, rewards: 1, squares: 1 })
    clock.now += 60_000
    expect(learner.work()).toBe(false)
    // Trends fade without news.
    clock.now += 300_000
    expect(learner.work()).toBe(true)
  })

  it('has a linear model where features were recorded', () => {
    const { learner, models } = start()
    learner.fold([message(1, [{}, { slotId: 'teaser', ...featured }])])
    learner.work()
    learner.work()
    const [hero, teaser] = models()
    expect(hero!.model!.linear).toBeUndefined()
    expect(teaser!.model!.linear!.dimension).toBe(DIMENSION)
  })

  it('goes on without a linear model where records were taken away that never came', () => {
    const { learner, models } = start()
    learner.fold([message(1, [featured, featured, featured])])
    learner.fold([message(2, [{ contentId: 'b', features: [9, 4] }], { removal: 'r' })])
    learner.work()
    const [{ model, keepsLinear }] = models() as [ModelNews]
    expect(model!.linear).toBeUndefined()
    expect(keepsLinear).toBe(false)
    expect(unpackModel(model!).contents.total.views).toBe(3)
  })

  it('tells what could not be read, and goes on', () => {
    const { learner } = start()
    const broken: StreamMessage[] = [
      { ...message(1, []), data: new TextEncoder().encode('{') },
      message(2, [{ position: 0 }]),
      message(3, [{ reward: 0.5 }]),
      message(4, [], { siteId: '../other' }),
      message(5, [{}]),
      message(5, [{}]),
    ]
    const counts = learner.fold(broken)
    expect(counts.unreadable.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
    expect(counts).toMatchObject({ records: 1, repeats: 1, refused: {} })
  })

  it('goes on from what it saved as if it had never ended', async () => {
    const first = start()
    first.learner.fold([message(7, [featured, { slotId: 'teaser' }])])
    first.learner.fold([message(8, [{ contentId: 'b' }], { removal: 'r' })])
    const saved = await first.learner.save()
    expect(saved.positions).toEqual({ LEARNING: 8 })
    const second = start()
    expect(second.learner.load(saved.chunks)).toEqual({ positions: { LEARNING: 8 }, at: BEGIN, slots: 2 })
    // Told again: a repeat, also of what was taken away.
    expect(second.learner.fold([message(7, [featured])]).repeats).toBe(1)
    expect(second.learner.fold([message(8, [{ contentId: 'b' }], { removal: 'r' })]).repeats).toBe(1)
    expect((await second.learner.save()).chunks).toEqual(saved.chunks)
    second.learner.work()
    second.learner.work()
    expect(second.models()).toHaveLength(2)
  })

  it('saves what there was when it was asked, although more comes meanwhile', async () => {
    const { learner } = start()
    learner.fold([message(1, [{}])])
    const saving = learner.save()
    learner.fold([message(2, [{}])])
    const { positions, chunks } = await saving
    expect(positions).toEqual({ LEARNING: 1 })
    expect(start().learner.load(chunks)!.positions).toEqual({ LEARNING: 1 })
  })

  it('takes away nothing that was gone before it was read, also after a snapshot', async () => {
    const { learner } = start()
    learner.fold([message(1, [{}]), message(4, [{ contentId: 'b' }])])
    const next = start()
    next.learner.load((await learner.save()).chunks)
    for (const each of [learner, next.learner]) {
      each.fold([message(5, [{ contentId: 'c' }], { removal: 'r3', removes: 3 })])
      each.fold([message(6, [{ contentId: 'b' }], { removal: 'r4', removes: 4 })])
    }
    next.learner.work()
    expect([...unpackModel(next.models()[0]!.model!).contents.byId.keys()]).toEqual(['a'])
    expect((await next.learner.save()).chunks).toEqual((await learner.save()).chunks)
  })

  it('tells what is counted of content at most twice a second, and goes on from what it saved', async () => {
    const { learner, clock, contents } = start()
    const tent = (units: number) => ({
      contents: [
        { contentId: 'tent', slotId: 'hero', amounts: [['v1', 0, 0, units] as [string, number, number, number]] },
      ],
    })
    const rowsOf = (news: ContentNews[]) => news.flatMap(each => each.contents).map(({ rows }) => [...rows])
    learner.fold([message(1, [], tent(5)), message(2, [], tent(6)), message(2, [], tent(6))])
    learner.work()
    expect(rowsOf(contents())).toEqual([[['v1\0hero', [0, 11]]]])
    expect(learner.fold([message(3, [], tent(1))])).toMatchObject({ contents: 1, records: 0 })
    learner.work()
    expect(contents()).toEqual([])
    clock.now += 500
    learner.work()
    expect(rowsOf(contents())).toEqual([[['v1\0hero', [0, 12]]]])
    const saved = await learner.save()
    const next = start()
    next.learner.load(saved.chunks)
    next.learner.work()
    expect(rowsOf(next.contents())).toEqual([[['v1\0hero', [0, 12]]]])
    // Taken away once, and nothing is left.
    const removal = message(4, [], { ...tent(12), removal: 'r' })
    expect(next.learner.fold([removal, { ...removal, seq: 5, position: 5 }])).toMatchObject({ removals: 1, repeats: 1 })
    clock.now += 500
    next.clock.now += 500
    next.learner.work()
    expect(rowsOf(next.contents())).toEqual([[]])
    const gone = start()
    gone.learner.load((await next.learner.save()).chunks)
    gone.learner.work()
    expect(gone.contents()).toEqual([])
  })

  it('knows a damaged snapshot', async () => {
    const { learner } = start()
    learner.fold([message(1, [featured])])
    const { chunks } = await learner.save()
    const [chunk] = chunks as [Uint8Array]
    const damaged = [[], [chunk.subarray(0, -9)], [chunk.with(40, chunk[40]! ^ 255)], [new TextEncoder().encode('{}')]]
    for (const each of damaged) expect(start().learner.load(each)).toBeUndefined()
  })

  it('tells every few seconds how much memory is in use', () => {
    const { learner, clock, memory } = start()
    learner.work()
    expect(memory()).toEqual([{ type: 'memory', slots: 0, contents: 0, left: 0 }])
    learner.fold([
      message(1, [{ ...featured }], { contents: [{ contentId: 'a', slotId: '', amounts: [['v', 1, 0, 1]] }] }),
    ])
    learner.work()
    expect(memory()).toEqual([])
    clock.now += 5_000
    learner.work()
    const [news] = memory()
    expect(news!.slots).toBeGreaterThan(0)
    expect(news!.contents).toBeGreaterThan(0)
  })

  it('tells that a slot is gone', () => {
    const { learner, clock, models } = start()
    learner.fold([message(1, [{}])])
    learner.work()
    models()
    clock.now += 200 * 24 * 3_600_000
    learner.work()
    expect(models()).toMatchObject([{ slotId: 'hero', model: undefined }])
    expect(learner.work()).toBe(false)
  })
})

describe('a model', () => {
  it('passes to another thread as it is', () => {
    const { learner, models } = start()
    const records = ['a', 'b', 'c'].map(contentId => ({
      contentId,
      ...featured,
      reward: contentId === 'b' ? 5_000 : 0,
    }))
    learner.fold([message(1, records)])
    learner.work()
    const [{ model }] = models() as [ModelNews]
    const unpacked = unpackModel(model!)
    expect([...unpacked.contents.byId.keys()]).toEqual(['a', 'b', 'c'])
    expect(unpacked.contents.total).toEqual({ views: 3, rewards: 0.5, squares: 0.25 })
    const [bucket] = unpacked.contents.bySegment.keys()
    expect(unpacked.contents.bySegment.get(bucket!)!.get('b')).toEqual({ views: 1, rewards: 0.5, squares: 0.25 })
    expect(unpackModel(packModel({ ...unpacked, typical: 50 }).packed).typical).toBe(50)
    const { packed, transfer } = packModel(unpacked)
    const passed = structuredClone(packed, { transfer })
    expect(textOf(unpackModel(passed))).toBe(textOf(unpackModel(structuredClone(passed))))
    expect(unpackModel(passed)).toMatchObject({ contents: { total: { views: 3 } }, linear: { dimension: DIMENSION } })
  })

  it('is found by site and slot until the slot is gone', () => {
    const { learner, models } = start()
    learner.fold([message(1, [{}])])
    learner.work()
    const [news] = models() as [ModelNews]
    const set = createModelSet()
    set.put(news)
    set.put({ ...news, slotId: 'teaser' })
    expect(set.size).toBe(2)
    expect(set.modelOf('shop', 'hero')!.contents.total.views).toBe(1)
    expect(set.modelOf('other', 'hero')).toBeUndefined()
    const linear = { ...news.model!, linear: {} as NonNullable<SlotModel['linear']> }
    set.put({ ...news, model: linear })
    set.put({ ...news, keepsLinear: true })
    expect(set.modelOf('shop', 'hero')!.linear).toBe(linear.linear)
    set.put({ ...news, keepsLinear: false })
    expect(set.modelOf('shop', 'hero')!.linear).toBeUndefined()
    set.put({ ...news, model: undefined })
    expect(set.size).toBe(1)
    expect(set.modelOf('shop', 'hero')).toBeUndefined()
  })
})

function textOf({ contents, trend, linear, memory }: SlotModel): string {
  const plain = ({ byId, bySegment, total, attention }: SlotModel['contents']) => [
    [...byId],
    [...bySegment].map(([bucket, models]) => [bucket, [...models]]),
    total,
    attention,
  ]
  return JSON.stringify([plain(contents), plain(trend), linear && [...linear.inverse], memory])
}
