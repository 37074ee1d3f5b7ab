import type { StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_PATTERNS } from '#core/patterns/default-patterns.js'
import { beginSteps, stepPatterns } from '#core/patterns/step.js'

const MESSAGES = ['09:00 Product Added', '09:31 Product Viewed'].map(
  (line, place): StoredMessage => ({
    messageId: `m${place}`,
    type: 'track',
    event: line.slice(6),
    timestamp: `2026-01-01T${line.slice(0, 5)}:00.000Z`,
  }),
)

describe('steps of one envelope', () => {
  it('end the absence of a user whose first message came with them', () => {
    const steps = beginSteps(DEFAULT_PATTERNS, undefined)
    const matches = MESSAGES.flatMap(message => steps.look(message, { user: 'ann' }).found)
    expect(matches).toMatchObject([{ pattern: 'cart_abandonment', user: 'ann' }])
    let state = stepPatterns(DEFAULT_PATTERNS, undefined, MESSAGES[0]!, { user: 'ann' }).state
    state = stepPatterns(DEFAULT_PATTERNS, state, MESSAGES[1]!, { user: 'ann' }).state
    expect(JSON.stringify(steps.states())).toBe(JSON.stringify(state))
  })
})
