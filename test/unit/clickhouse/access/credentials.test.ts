import { expect, it } from 'vitest'
import type { Account } from '#clickhouse/access/accounts.js'
import { createAuthenticator } from '#clickhouse/access/credentials.js'
import { DEFAULT_ANALYST_LIMITS } from '#clickhouse/http/settings.js'

const basic = (text: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
})
const local = { key: 'loopback', loopback: true }
const limits = { ...DEFAULT_ANALYST_LIMITS, max_concurrent_queries: 4 }
const account = (name: string, role: Account['role']): Account => ({ name, role, databases: [], limits })
const login = (password: string) =>
  createAuthenticator({
    password,
    nameless: account('default', 'analyst'),
    writer: account('slotstream', 'writer'),
    users: async () => new Map(),
  })

it('no user, and default without a password, is an analyst', async () => {
  const authenticate = login('pw')
  for (const [headers, url] of [
    [{}, {}],
    [basic('default:'), {}],
    [basic('default'), {}],
    [{ 'x-clickhouse-user': 'default' }, {}],
    [{}, { user: 'default', password: '' }],
    [{}, { user: '' }],
  ] as const)
    expect(await authenticate(headers, url, local)).toMatchObject({ role: 'analyst' })
})

it('slotstream with the password writes, from all three places', async () => {
  expect(await login('p:w')(basic('slotstream:p:w'), {}, local)).toMatchObject({ role: 'writer' })
  const authenticate = login('pw')
  const headers = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': 'pw' }
  expect(await authenticate(headers, {}, local)).toMatchObject({ role: 'writer' })
  expect(await authenticate({}, { user: 'slotstream', password: 'pw' }, local)).toMatchObject({ role: 'writer' })
})

it('anything else is refused, never taken for an analyst', async () => {
  for (const headers of [
    basic('slotstream:'),
    basic('slotstream:wrong'),
    basic('default:wrong'),
    basic('default:null'),
    basic('somebody:'),
    { authorization: 'Bearer token' },
    { 'x-clickhouse-key': 'pw' },
  ])
    await expect(login('pw')(headers, {}, local)).rejects.toMatchObject({ code: 516 })
})
