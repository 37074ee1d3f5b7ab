import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CompiledSlot } from '@slotstream/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SITE, simulateDecisions } from '#bench/simulator/decisions.js'
import { otherSlot, readAlternative } from '#cli/replay/decisions/alternative.js'
import { type NamedAlternative, replayDecisions } from '#cli/replay/decisions/replay-decisions.js'
import type { SlotVersions } from '#cli/replay/decisions/slot-versions.js'
import { writeReport } from '#cli/replay/decisions/write-report.js'

const played = [...simulateDecisions('cli', { type: 'random' }, { decisions: 300, turns: false, newItemEvery: 100 })]
const slots = new Map(played.map(({ was }) => [was.policyVersion, was]))
const versionOf = (slot: CompiledSlot) => ({ slot, contents: slot.contents.map(({ content }) => content) })
const versions: SlotVersions = {
  find: async ({ policyVersion }) => (slots.has(policyVersion) ? versionOf(slots.get(policyVersion)!) : undefined),
}

async function* stored(change: (n: number) => object = () => ({}), programs = 0) {
  for (const [n, { record, rewards }] of played.entries())
    yield { record: { ...record, ...change(n) }, rewards, isProgram: n < programs }
}

const replay = (alternatives: NamedAlternative[] = [], change?: (n: number) => object, kept = versions) =>
  replayDecisions(SITE, stored(change), kept, alternatives)

const policy = (name: string, spec: object): NamedAlternative => ({ name, alternative: { policy: spec as never } })

describe('a replay of decisions', () => {
  it('counts what is the same, what is not and why, and what was never decided', async () => {
    expect(await replay()).toMatchObject({
      total: 300,
      reproduced: 300,
      ways: { decided: 300, drawn: 0 },
      different: [],
    })
    const changes: Record<number, object> = {
      3: { propensities: [0.5] },
      4: { outcome: 'timeout' },
      5: { draw: undefined, features: {} },
    }
    const report = await replay([], n => changes[n] ?? {})
    expect(report).toMatchObject({ total: 300, reproduced: 297, undecided: 1 })
    expect(report.different).toEqual([
      { reason: expect.stringContaining('another result'), decisions: 1, ids: [played[3]!.record.decisionId] },
      { reason: expect.stringContaining('another system'), decisions: 1, ids: [played[5]!.record.decisionId] },
    ])
    expect(writeReport(report)).toContain('297 of 299 are the same again, byte for byte: 297 decided anew')
  })

  it('does decisions about programs again, and compares them with nothing', async () => {
    const some = [policy('p', { type: 'weighted' })]
    const report = await replayDecisions(SITE, stored(undefined, 40), versions, some)
    expect(report).toMatchObject({ reproduced: 300, programs: 40, slots: { hero: { decisions: 260 } } })
    expect(writeReport(report)).toContain('40 are not compared: their browsers seem to be programs')
    expect(await replayDecisions(SITE, stored(undefined, 40), versions, [])).toMatchObject({ programs: 0 })
  })

  it('does without a catalog that is not kept', async () => {
    const report = await replay([policy('p', { type: 'weighted' })], undefined, { find: async () => undefined })
    expect(report).toMatchObject({ reproduced: 300, ways: { decided: 0, drawn: 300 }, withoutCatalog: 300, slots: {} })
    expect(writeReport(report)).toContain('300 were made by a catalog that is not kept any more')
  })

  it('compares with one alternative, and lets several compete', async () => {
    const one = await replay([policy('p', { type: 'affinity', exploration: 0.3 })])
    expect(one.slots!.hero).toMatchObject({ decisions: 300, unknown: [] })
    expect(writeReport(one)).toMatch(/slot hero: \d+ of 300 decisions would show something else/)
    const several = await replay([policy('p', { type: 'affinity', exploration: 0.3 }), policy('q', { type: 'ease' })])
    expect(several.tournaments!.hero!.candidates).toMatchObject([
      { name: 'p', standing: 'undecided' },
      { name: 'q', standing: 'unknown' },
    ])
    expect(writeReport(several)).toMatch(/undecided {2}p: .*\n {2}unknown {4}q: /)
  })
})

describe('what it is compared with', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotstream-with-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const was = versionOf(played[0]!.was as CompiledSlot)
  const read = async (content: unknown) => {
    await writeFile(join(folder, 'with.json'), JSON.stringify(content))
    return readAlternative(join(folder, 'with.json'))
  }

  it('is a policy, the default, a catalog or a folder of one', async () => {
    expect(otherSlot(await read({ type: 'fixed', contentIds: ['i1'] }), was)?.slot.policy?.type).toBe('fixed')
    expect(otherSlot(await read({ id: 'hero', policy: { type: 'weighted' } }), was)?.slot.policy?.type).toBe('weighted')
    expect(otherSlot(await readAlternative('default'), was)?.slot.policy).toBeUndefined()
    const content = [{ id: 'new', category: 'c', slots: ['hero'], payload: {} }]
    const other = otherSlot(await read({ content }), was)
    expect(other?.contents.map(({ id }) => id)).toEqual(['new'])
    expect(other?.slot.policy?.type).toBe('random')
    expect(otherSlot(await read({ slots: [{ id: 'side' }] }), was)).toBeUndefined()
    await writeFile(join(folder, 'content.json'), JSON.stringify(content))
    await rm(join(folder, 'with.json'))
    expect(otherSlot(await readAlternative(folder), was)?.contents).toHaveLength(1)
  })

  it('takes by other candidates content of then that the slot did not take', async () => {
    const dear = { id: 'dear', slots: [], category: 'tents', price: 900, payload: {} }
    const then = { ...was, contents: [...was.contents, dear, { ...dear, id: 'cheap', price: 90 }] }
    const other = otherSlot(await read({ slots: [{ id: 'hero', candidates: { price: { $gt: 500 } } }] }), then)
    expect(other?.contents.map(({ id }) => id)).toEqual([...was.slot.contents.map(({ id }) => id), 'dear'].sort())
    const policy = otherSlot(await read({ type: 'weighted' }), then)
    expect(policy?.contents).toHaveLength(was.slot.contents.length)
  })

  it.each([
    [{ type: 'best' }, /policy\.type must be one of/],
    [{ content: [{ category: 'c' }] }, /content\[0\]: /],
    [{ slots: [{ id: 'hero', policy: 1 }] }, /slots\[0\]: policy/],
    [{ slots: [{ id: 'hero', candidates: { prize: 1 } }] }, /slots\[0\]: candidates\.prize.*did you mean "price"/],
    [{ content: [{ id: 'a', where: { 'trait.x': 1 } }] }, /content\[0\]: where\.trait\.x/],
    [{ id: 'hero' }, /must hold a slot's policy/],
    [{ type: 'affinity', exporation: 0.5 }, /policy\.exporation is unknown: did you mean policy\.exploration/],
  ])('is refused where it is none: %j', async (content, message) => {
    await expect(read(content)).rejects.toThrow(message)
  })
})
