import { describe, expect, it } from 'vitest'
import type { NatsUsers } from '#supervisor/nats/users.js'
import { type Provided, serviceSpecs } from '#supervisor/services.js'
import { supervisorSettings } from '#supervisor/settings.js'

const provided: Provided = {
  natsServer: '/bin/nats',
  adminToken: 'a-token',
  clickhousePassword: 'c-word',
  umask: 0o22,
  owners: {},
}

/** What each part is given in the open and by the pipe, of what was set. */
function given(env: NodeJS.ProcessEnv, more: Partial<Provided> = {}) {
  const specs = serviceSpecs(supervisorSettings({ DATA_DIR: '/data', ...env }), { ...provided, ...more }, env)
  return Object.fromEntries(specs.map(spec => [spec.name, spec]))
}

describe('the secrets of parts', () => {
  const own = {
    NATS_URL: 'tls://u:n-word@n1,tls://n2',
    CLICKHOUSE_URL: 'https://u:h-word@clickhouse',
    REDIS_URL: 'redis://:r-word@redis',
    NATS_CREDS: 'creds-word',
    OTHER_TOKEN: 'o-word',
  }

  it('of servers of one’s own go to those that connect there, by the pipe', () => {
    const parts = given(own)
    expect(Object.keys(parts)).toEqual(['collector', 'aggregator', 'warehouse'])
    const nats = { NATS_URL: own.NATS_URL, NATS_CREDS: own.NATS_CREDS }
    expect(parts.collector?.secrets).toEqual({ ...nats, ADMIN_TOKEN: 'a-token' })
    const redis = { REDIS_URL: own.REDIS_URL }
    expect(parts.aggregator?.secrets).toEqual({ ...nats, ...redis })
    const clickhouse = { CLICKHOUSE_URL: own.CLICKHOUSE_URL, CLICKHOUSE_PASSWORD: '' }
    expect(parts.warehouse?.secrets).toEqual({ ...nats, ...redis, ...clickhouse })
    for (const { env } of Object.values(parts)) expect(JSON.stringify(env)).not.toMatch(/-word|a-token/)
  })

  it('of the servers that are started here are one each, and nothing is left of other servers’ settings', () => {
    const natsUsers = { collector: 'c', aggregator: 'a', warehouse: 'w', supervisor: 's', operator: 'o' } as NatsUsers
    const parts = given({ NATS_CREDS: 'creds-word', NATS_CA_FILE: '/ca.pem', PATH: '/bin' }, { natsUsers })
    expect(parts.collector?.secrets).toEqual({ NATS_PASSWORD: 'c', ADMIN_TOKEN: 'a-token' })
    expect(parts.aggregator?.secrets).toEqual({ NATS_PASSWORD: 'a' })
    expect(parts.warehouse?.secrets).toEqual({ NATS_PASSWORD: 'w', CLICKHOUSE_PASSWORD: 'c-word' })
    expect(parts.clickhouse?.secrets).toEqual({ CLICKHOUSE_PASSWORD: 'c-word' })
    expect(parts['nats-server']).toMatchObject({ env: { PATH: '/bin' }, args: ['-c', '/data/nats-server.conf'] })
    expect(parts['nats-server']?.secrets).toBeUndefined()
    expect(parts.aggregator?.env).toMatchObject({ NATS_USER: 'aggregator', NATS_INBOX_PREFIX: '_INBOX.aggregator' })
    for (const { env } of Object.values(parts)) expect(env.NATS_CA_FILE).toBeUndefined()
  })

  it('a lake outside of the data folder has the permissions of the shell, one in it is closed', () => {
    expect(given({ LAKE_DIR: '/lake' }).warehouse?.umask).toBe(0o22)
    expect(given({ LAKE_DIR: '/data/lake' }).warehouse?.umask).toBeUndefined()
    expect(given({}).collector?.umask).toBeUndefined()
  })
})
