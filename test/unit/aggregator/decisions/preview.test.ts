import type { DecideRequest } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { answer } from '#aggregator/decisions/answer.js'
import { createCatalog } from '#aggregator/decisions/catalog.js'
import { parseRequest } from '#aggregator/decisions/parse-request.js'
import { previewOf } from '#aggregator/decisions/preview.js'

const NOW = Date.UTC(2026, 0, 10)

const request: DecideRequest = {
  siteId: 'shop',
  visitorId: 'v1',
  anonymousId: 'v1',
  slots: [{ id: 'hero' }, { id: 'list' }, { id: 'nowhere' }],
  after: 0,
  deadlineMs: 100,
  explain: false,
}

const catalog = createCatalog()
catalog.set('shop.slot.hero', { id: 'hero' })
catalog.set('shop.slot.list', { id: 'list', holdout: 1 })
catalog.set('shop.content.a', { id: 'a', slots: ['hero', 'list'], payload: { title: 'A' } })
catalog.set('shop.content.b', { id: 'b', slots: ['list'], payload: { title: 'B' } })
catalog.set('shop.content.soon', { id: 'soon', slots: ['hero'], payload: {}, startsAt: '2027-01-01T00:00:00.000Z' })

const shown = (show?: Record<string, string[]>) => {
  const asked = { ...request, preview: { ...(show && { show }) } }
  return previewOf(answer(asked, { profile: undefined }, { catalog }, NOW), asked, catalog)
}
const choices = (show?: Record<string, string[]>) =>
  shown(show).decisions.map(({ outcome, items }) => [outcome, items.map(({ contentId }) => contentId)])

it('a preview has no ids, and nothing that is recorded or told', () => {
  const { decisions, records, served } = shown({ hero: ['a'] })
  expect(decisions.map(({ decisionId, preview }) => [decisionId, preview])).toEqual(decisions.map(() => ['', true]))
  expect([records, served]).toEqual([[], []])
})

it('a preview shows what would be decided, and in the slots that are named what is named for them', () => {
  expect(choices()).toEqual([
    ['served', ['a']],
    ['holdout', []],
    ['unknown_slot', []],
  ])
  expect(choices({ list: ['b', 'a'], hero: ['soon'] })).toEqual([
    ['served', ['soon']],
    ['served', ['b', 'a']],
    ['unknown_slot', []],
  ])
  expect(shown({ list: ['b', 'a'] }).decisions[1]?.items).toEqual([
    { contentId: 'b', position: 1, payload: { title: 'B' } },
    { contentId: 'a', position: 2, payload: { title: 'A' } },
  ])
})

it('a preview shows no content of other slots, and none that there is not', () => {
  expect(choices({ hero: ['b', 'none'], nowhere: ['a'], constructor: ['a'] })).toEqual([
    ['empty', []],
    ['holdout', []],
    ['empty', []],
  ])
})

it.each([null, 'x', [], { show: [] }, { show: { hero: 'a' } }])('%j is no preview to ask for', preview => {
  expect(parseRequest(new TextEncoder().encode(JSON.stringify({ ...request, preview })))).toBeUndefined()
  const good = { ...request, preview: { show: { hero: ['a'] } } }
  expect(parseRequest(new TextEncoder().encode(JSON.stringify(good)))).toEqual(good)
})
