import { expect, it } from 'vitest'
import type { Account } from '#clickhouse/access/accounts.js'
import { createAuthenticator } from '#clickhouse/access/credentials.js'
import { DEFAULT_ANALYST_LIMITS } from '#clickhouse/access/settings/limits.js'

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
    // JDBC drivers send the word where no password was given.
    [basic('default:null'), {}],
    [{}, { user: 'default', password: 'null' }],
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

it('default without a password is asked for one from another machine, also with the word that JDBC sends', async () => {
  const far = { key: '192.0.2.1', loopback: false }
  for (const headers of [basic('default:'), basic('default:null')])
    await expect(login('pw')(headers, {}, far)).rejects.toMatchObject({ code: 516, answer: { status: 401 } })
})

it('anything else is rejected, never taken for an analyst', async () => {
  for (const headers of [
    basic('slotstream:'),
    basic('slotstream:wrong'),
    basic('default:wrong'),
    basic('default:NULL'),
    basic('slotstream:null'),
    basic('somebody:'),
    basic('somebody:null'),
    { authorization: 'Bearer token' },
    { 'x-clickhouse-key': 'pw' },
  ])
    await expect(login('pw')(headers, {}, local)).rejects.toMatchObject({ code: 516 })
})
