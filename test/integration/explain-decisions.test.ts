import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { text as streamText } from 'node:stream/consumers'
import { explainDecision } from '@slotstream/core'
import { type DecisionRecord, streamSubject, uuidv7 } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { ADMIN_TOKEN } from '../support/collector.js'
import { type DecidedShop, POLICIES, SITE, setUpDecidedShop } from '../support/set-up-decided-shop.js'
import { until } from '../support/until.js'

let shop: DecidedShop
let nats: DecidedShop['nats']
let collector: DecidedShop['collector']
const { put, ask, recordsOf, explain, explained } = setUpDecidedShop(current => {
  shop = current
  ;({ nats, collector } = current)
})

describe('an explanation', () => {
  it('tells why content was shown, why other content was not, and draws it again', async () => {
    await ask('curious', ['hero', 'teaser'], { country: 'FR' })
    const [hero, teaser] = await explained('curious', 2)
    const [shown] = hero!.decision.contentIds
    expect(hero!.text).toContain(`${shown} was shown because it was drawn at random from 3, all equally likely`)
    expect(hero!.text).toContain(
      'not shown: far, context.country is "FR", wanted "DE"; past, it has ended; sold, it is out of stock.',
    )
    expect(hero!.candidates).toHaveLength(6)
    expect(hero!.candidates[0]).toMatchObject({ contentId: shown, shown: true, excluded: null })
    expect(hero!.candidates[0]?.propensity).toBe(hero!.decision.propensities[0])
    expect(hero!.candidates.find(({ contentId }) => contentId === 'far')).toEqual({
      contentId: 'far',
      propensity: 0,
      position: null,
      shown: false,
      excluded: { reason: 'condition', detail: 'context.country is "FR", wanted "DE"' },
    })
    expect(teaser!.candidates.map(({ position }) => position)).toEqual([1, 2, null])
    expect(teaser!.candidates[2]).toMatchObject({
      contentId: shown,
      excluded: { reason: 'repeated', detail: 'an earlier slot of the page shows it' },
    })
  })

  it('tells of a cap, of a slate that learns, and of those who are held out', async () => {
    for (let n = 0; n < 4; n++) await ask('often', ['capped'])
    await ask('often', ['learns', 'held'])
    const [capped, learns, held] = await explained('often', 3)
    expect(capped!.text).toContain(
      'else was shown because nothing else was left to be shown; not shown: offer, capped 3 of 3 in 24h.',
    )
    expect(learns!.decision.contentIds).toHaveLength(2)
    expect(learns!.text).toContain(`${learns!.decision.contentIds[1]} was shown because `)
    expect(held!.text).toMatch(
      /^Nothing was shown because the visitor is held out.*; \w+ would have been shown because/,
    )
    expect(held!.decision).toMatchObject({
      outcome: 'holdout',
      contentIds: [],
      ghost: [held!.candidates[0]!.contentId],
    })
    expect(held!.candidates.filter(({ shown }) => shown)).toEqual([])
  })

  it('is the same, byte for byte, in another process that has the record alone: of every policy, and of before an upgrade', async () => {
    const typed = POLICIES.map(({ type }) => `by-${type}`)
    await ask('elsewhere', ['hero', 'learns', 'capped', 'held'])
    for (const slot of typed) await ask('elsewhere', [slot])
    const answers = await explained('elsewhere', 4 + typed.length)
    for (const { decision } of answers.slice(4)) expect(decision.contentIds).toHaveLength(2)
    const before = await readFile(new URL('../unit/core/decide/records-0.1.0.json', import.meta.url), 'utf8')
    const old = (JSON.parse(before) as { record: DecisionRecord }[]).map(({ record }) => record)
    const script = `
      import { explainDecision } from '@slotstream/core'
      import { text } from 'node:stream/consumers'
      const records = JSON.parse(await text(process.stdin))
      process.stdout.write(JSON.stringify(records.map(record => explainDecision(record))))`
    // Not waited for at a standstill: leases of this process are kept meanwhile.
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    other.stdin.end(JSON.stringify([...answers.map(({ decision }) => decision), ...old]))
    const stdout = await streamText(other.stdout)
    const told = answers.map(({ decision: _record, status: _ok, ...explanation }) => explanation)
    expect(stdout).toBe(JSON.stringify([...told, ...old.map(record => explainDecision(record))]))
  })

  it('names all contents of a large slot by the catalog, by the tables when that has changed, and counts them without', async () => {
    await ask('wide', ['many'])
    const [whole] = await explained('wide', 1)
    expect(whole).toMatchObject({ unnamed: 0, candidates: { length: 30 } })
    await put('content', 'm99', { slots: ['many'] })
    const named = await until(
      'the tables have the catalog as it was',
      async () => (await explained('wide', 1))[0]!,
      ({ unnamed }) => unnamed === 0,
    )
    expect(named.candidates).toEqual(whole!.candidates)
    await shop.contentsThen.stop()
    shop.contentsThen = { stop: async () => {} }
    const [later] = await explained('wide', 1)
    expect(later!.candidates.length).toBeLessThan(10)
    expect(later).toMatchObject({ unnamed: 30 - later!.candidates.length })
  })

  it('draws a record of the first form again, and says of an imported one that it cannot be', async () => {
    const [old] = await recordsOf('curious')
    const first = {
      ...{ slotId: 'hero', anonymousId: 'old', policy: 'affinity', policyVersion: '1', holdout: false, position: 1 },
      ...{ decisionId: uuidv7(), timestamp: new Date().toISOString(), outcome: 'served', excluded: [] },
      contentIds: ['hats2', 'shoes0', 'bags3'],
      propensities: [0.8500000000000001, 0.4666666666666667, 0.1],
      candidates: [
        { contentId: 'hats2', score: 0.75, probability: 0.85 },
        { contentId: 'shoes0', score: 0.25, probability: 0.05 },
        { contentId: 'shoes1', score: 0.25, probability: 0.05 },
        { contentId: 'bags3', score: 0, probability: 0.05 },
      ],
      features: { affinities: { hats: 3, shoes: 1 }, exploration: 0.2 },
      seed: '0197d0f4-6f1a-7000-8000-000000000000',
    }
    const body = { siteId: SITE, visitorId: 'old', receivedAt: first.timestamp, decisions: [first] }
    await nats.js.publish(streamSubject('decisions', 0), JSON.stringify(body))
    const answer = await explain(first.decisionId)
    expect(answer).toMatchObject({ status: 200, reproduced: true, unnamed: 0 })
    expect(answer.candidates.map(({ contentId }) => contentId)).toEqual(['hats2', 'shoes0', 'bags3', 'shoes1'])

    const imported = {
      ...{ decisionId: "it's -- imported", slotId: 'hero', anonymousId: 'x', timestamp: '2026-01-01T00:00:00Z' },
      ...{ contentIds: ['<b>'], propensities: [0.5], candidates: [{ contentId: '<b>', score: 1, probability: 0.5 }] },
    }
    // As if it were ours, and made to take long.
    const features = { draw: '{"contents":"e100000","stages":[{"of":1e9,"drawn":[0]}]}', missed: '[["<b>",{}]]' }
    const sent = await fetch(`${collector.url}/v1/admin/sites/${SITE}/decisions/import`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify({
        decisions: [imported, { ...imported, decisionId: old!.decisionId }, { ...imported, features }],
      }),
    })
    expect(await sent.json()).toMatchObject({ imported: 2, rejected: [{ index: 2 }] })
    const foreign = await until(
      'the import is loaded',
      () => explain(imported.decisionId),
      ({ status }) => status === 200,
    )
    expect(foreign).toMatchObject({ reproduced: false, candidates: [{ contentId: '<b>', shown: true }] })
    expect(foreign.text).toContain("it was imported from another system's log")
    // An import under the id of a decision that was served takes nothing's place.
    expect((await explain(old!.decisionId)).decision.contentIds).toEqual(old!.contentIds)
    expect(explainDecision((await explain(old!.decisionId)).decision).reproduced).toBe(true)
  })

  it('is given for decisions of the site alone, to administrators alone', async () => {
    const [record] = await recordsOf('curious')
    const id = record!.decisionId
    const [elsewhere, missing] = await Promise.all([explain(id, '?site=other'), explain(uuidv7())])
    expect(elsewhere).toMatchObject({ status: 404, error: { code: 'not_found' } })
    expect(elsewhere.error?.message).toContain('site other has no decision of that id')
    expect(missing).toMatchObject({ status: 404 })
    expect(missing.error?.message).toContain('it may take some seconds until one is there')
    expect(await explain(id, '?site=nowhere')).toMatchObject({ status: 404 })
    for (const query of ['', '?site=shop&site=other', '?site[a]=shop'])
      expect(await explain(id, query)).toMatchObject({ status: 400, error: { code: 'malformed' } })
    expect(await explain(id, undefined, 'wrong')).toMatchObject({ status: 401 })
    for (const unknown of [uuidv7(1), "' OR 1 = 1 --", '{id: String}', 'x'.repeat(200)])
      expect(await explain(unknown)).toMatchObject({ status: 404, error: { code: 'not_found' } })
    expect(await explain('x'.repeat(2_000))).toMatchObject({ status: 400 })
  })
})
