import { describe, expect, it } from 'vitest'
import type { NumberedLetter } from '#aggregator/commands/dead-letters/letters.js'
import { listOf, pageOf } from '#aggregator/commands/dead-letters/wording.js'

const letter: NumberedLetter = {
  number: 12,
  role: 'profiles',
  stream: 'EVENTS',
  seq: 345,
  subject: 'events.3',
  storedAt: '2026-01-01T00:00:00.000Z',
  encoding: 'text',
  payload: 'not \u001b[31mJSON',
  error: `it is\nno JSON${'!'.repeat(200)}`,
  attempts: 1,
  version: '0.1.0',
  failedAt: '2026-01-01T00:00:01.000Z',
}

describe('the list of dead letters', () => {
  it('has a line for each, with the error cut short', () => {
    const lines = listOf([letter, { ...letter, number: 13 }]).split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toMatch(/^12 +2026-01-01T00:00:01.000Z +profiles +EVENTS\/345 +1 +0\.1\.0 +it is no JSON!+…$/)
  })

  it('says so when there are none', () => {
    expect(listOf([])).toBe('There are no dead letters.')
  })
})

describe('the page of a dead letter', () => {
  it('shows what was sent without letting it reach the terminal', () => {
    expect(pageOf(letter)).toContain('payload   not \\u001b[31mJSON')
    expect(pageOf(letter)).not.toContain('\u001b')
  })

  it('says when the letter does not carry its message', () => {
    expect(pageOf({ ...letter, encoding: 'none', payload: '' })).toContain('not in the letter')
  })
})
