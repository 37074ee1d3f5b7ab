import type { Profile, StoredMessage } from '@slotstream/protocol'
import { SIGNALS } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { suspicionOf } from '#core/bots/suspicion.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { applyAndDetect } from '../../support/signals.js'
import { code, parseMessages, readPage, rowsUnder } from './table-rows.js'

/**
 * Applies messages, each a stream message of its own. Returns the profile, and the signals that the last one showed.
 */
function apply(messages: StoredMessage[]) {
  let applied: ReturnType<typeof applyAndDetect> | undefined
  for (const [index, message] of messages.entries()) {
    const envelope = { siteId: 'shop', visitorId: 'anna', receivedAt: message.timestamp, messages: [message] }
    applied = applyAndDetect(applied?.profile, envelope, index + 1)
  }
  return applied! as typeof applied & { profile: Profile }
}

const rounded = (value: unknown) =>
  JSON.parse(JSON.stringify(value ?? null), (_key, each) =>
    typeof each === 'number' ? Math.round(each * 100) / 100 : each,
  )

const isCase = (row: string[]) => row.length === 4
const cases = rowsUnder(readPage('signals.md'), 'Built-in signals').filter(isCase)

describe('docs/signals.md', () => {
  it.each(cases)('finds %s: %s', (name, _what, messages, details) => {
    const { signals } = apply(parseMessages(messages!))
    const found = signals.find(({ signal }) => signal === code(name!)[0])
    expect(rounded(found?.details)).toEqual(JSON.parse(code(details!)[0]!))
  })

  it('has a row of every detector, with and without its signal', () => {
    const shown = cases.map(([name, , , details]) => `${code(name!)[0]} ${code(details!)[0] !== 'null'}`)
    const all = SIGNALS.filter(name => !name.startsWith('segment_')).flatMap(name => [`${name} true`, `${name} false`])
    expect([...new Set(shown)].sort()).toEqual(all.sort())
  })
})

describe('docs/profiles.md', () => {
  const rows = rowsUnder(readPage('profiles.md'), 'Bots')
  const examples = rows.filter(row => row.length === 2 && row[1]!.startsWith('`['))

  it.each(examples)('says of %s: %s', (messages, reasons) => {
    const { profile } = apply(parseMessages(messages!).toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : 1)))
    expect(suspicionOf(profile.features!, DEFAULT_FEATURES).reasons).toEqual(JSON.parse(code(reasons!)[0]!))
  })

  it('has a row of every reason', () => {
    const reasons = rows.filter(row => !examples.includes(row)).map(([name]) => code(name!)[0])
    expect(new Set(examples.flatMap(([, given]) => JSON.parse(code(given!)[0]!)))).toEqual(new Set(reasons))
  })
})
