import { expect, it } from 'vitest'
import { authenticate } from '../../../../aggregator/embedded/credentials.js'

const basic = (text: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
})

it('nobody in particular, and default without a password, is an analyst', () => {
  expect(authenticate({}, {}, 'pw')).toBe('analyst')
  expect(authenticate(basic('default:'), {}, 'pw')).toBe('analyst')
  expect(authenticate({ 'x-clickhouse-user': 'default' }, {}, 'pw')).toBe('analyst')
})

it('slotstream with the password writes, from all three places', () => {
  expect(authenticate(basic('slotstream:p:w'), {}, 'p:w')).toBe('writer')
  expect(authenticate({ 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': 'pw' }, {}, 'pw')).toBe('writer')
  expect(authenticate({}, { user: 'slotstream', password: 'pw' }, 'pw')).toBe('writer')
})

it('anything else is refused, never taken for an analyst', () => {
  for (const headers of [
    basic('slotstream:'),
    basic('slotstream:wrong'),
    basic('default:wrong'),
    basic('somebody:'),
    { authorization: 'Bearer token' },
    { 'x-clickhouse-key': 'pw' },
  ]) {
    expect(() => authenticate(headers, {}, 'pw')).toThrow(expect.objectContaining({ code: 516 }))
  }
})
