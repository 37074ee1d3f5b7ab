import { applyEnvelope, BUILT_IN_FEATURES, DEFAULT_FEATURES } from '@slotstream/core'
import { byteLength, type EventEnvelope, memoryOf, type Profile } from '@slotstream/protocol'
import { createShoppers } from '../pipeline/shoppers.js'
import { percentile } from '../support/percentile.js'
import { markdownTable, whole } from '../support/table.js'

const ROUNDS = 7
const WARM_UP = 2
const SEED = 17

/**
 * Measures the reducer with all default features against `JSON.parse` of the same messages, in turns, and what each
 * feature keeps.
 */
export function benchReducer(messages: number): string {
  const shoppers = createShoppers(SEED)
  const texts: string[] = []
  let count = 0
  while (count < messages) {
    const envelope = shoppers.envelope('bench', Date.UTC(2026, 0, 1) + count)
    texts.push(JSON.stringify(envelope))
    count += envelope.messages.length
  }
  const parses: number[] = []
  const reductions: number[] = []
  let profiles = new Map<string, Profile>()
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const begun = performance.now()
    const envelopes = texts.map(text => JSON.parse(text) as EventEnvelope)
    const parsed = performance.now()
    profiles = reduce(envelopes)
    const reduced = performance.now()
    if (round < WARM_UP) continue
    parses.push(parsed - begun)
    reductions.push(reduced - parsed)
  }
  const [parse, reduction] = [percentile(parses, 0.5), percentile(reductions, 0.5)]
  const perSecond = (ms: number) => whole((count * 1_000) / ms)
  const ratios = reductions.map((ms, round) => ms / parses[round]!)
  return `Reducer with all default features, ${whole(count)} messages of ${whole(profiles.size)} visitors, medians of ${ROUNDS} rounds:

${markdownTable(
  ['', 'messages/s', '÷ JSON.parse', 'all rounds', 'aim'],
  [
    ['JSON.parse', perSecond(parse), '1', '', ''],
    [
      'reducer, of parsed messages',
      perSecond(reduction),
      (reduction / parse).toFixed(2),
      `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
      '3; 150,000/s',
    ],
  ],
)}

${stateTable([...profiles.values()])}`
}

function reduce(envelopes: readonly EventEnvelope[]): Map<string, Profile> {
  const profiles = new Map<string, Profile>()
  envelopes.forEach((envelope, place) => {
    const profile = applyEnvelope(profiles.get(envelope.visitorId), envelope, place + 1)
    if (profile) profiles.set(envelope.visitorId, profile)
  })
  return profiles
}

function stateTable(profiles: readonly Profile[]): string {
  const rows = BUILT_IN_FEATURES.map(({ name }) => {
    const { version, window } = DEFAULT_FEATURES.byName.get(name)!
    const rowsHeld: object[] = []
    for (const { features } of profiles) {
      const states =
        window.kind === 'session'
          ? features!.visits.map(([, , , , cells]) => cellOf(cells, version))
          : [features!.of[version]]
      for (const state of states) if (state !== undefined) rowsHeld.push([state])
    }
    return stateRow(name, rowsHeld, profiles.length)
  })
  const visits = profiles.flatMap(({ features }) => features!.visits)
  const sessions = visits.map(([id, startedAt, endedAt, messages]) => [id, startedAt, endedAt, messages])
  rows.push(stateRow('their sessions', sessions, profiles.length))
  rows.push(
    stateRow(
      'all of them',
      profiles.map(({ features }) => features!),
      profiles.length,
    ),
  )
  return `Bytes of each default feature, by profile:\n\n${markdownTable(
    ['feature', 'states ÷ profiles', 'stored', 'in memory, estimated'],
    rows,
  )}`
}

function stateRow(name: string, states: readonly object[], profiles: number): string[] {
  const sum = (bytesOf: (state: object) => number) => states.reduce((total, state) => total + bytesOf(state), 0)
  return [
    name,
    `${Math.round((100 * states.length) / profiles)} %`,
    (sum(state => byteLength(JSON.stringify(state))) / profiles).toFixed(1),
    (sum(memoryOf) / profiles).toFixed(1),
  ]
}

function cellOf(cells: readonly unknown[], version: string): unknown {
  const place = cells.indexOf(version)
  return place < 0 ? undefined : cells[place + 1]
}
