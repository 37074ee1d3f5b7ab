import { expect, it } from 'vitest'
import { pick, splitSecrets } from '#supervisor/data/split-secrets.js'

it('takes out of an environment what opens something, and leaves what says where it is', () => {
  const secrets = {
    ADMIN_TOKEN: 't',
    CLICKHOUSE_PASSWORD: 'p',
    PGPASSWORD: 'p',
    AWS_SECRET_ACCESS_KEY: 's',
    OPENAI_API_KEY: 'k',
    NATS_CREDS: 'c',
    NATS_URL: 'nats://n1,nats://user:password@n2',
    CLICKHOUSE_URL: 'https://user:password@host/db',
    BARE: 'user:password@host',
  }
  const open = {
    PATH: '/opt/node@20/bin:/usr/bin',
    ADMIN_TOKEN_FILE: '/etc/token',
    NATS_KEY_FILE: '/etc/key.pem',
    DATA_DIR: '/data/user:x@y',
    PLAIN_URL: 'https://host/@scope/name',
    KEYBOARD: 'us',
    RATE_LIMIT_ADDRESS: '500',
  }
  const npm = { 'npm_config_//registry.example/:_authToken': 'n', npm_lifecycle_event: 'start' }
  expect(splitSecrets({ ...secrets, ...open, ...npm, NONE: undefined })).toEqual({ open, secrets })
})

it('picks by name, or by how a name begins', () => {
  const values = { LC_ALL: 'C', LC_TIME: 'de', LANG: 'de', PATH: '/bin' }
  expect(pick(values, ['LC_*', 'PATH'])).toEqual({ LC_ALL: 'C', LC_TIME: 'de', PATH: '/bin' })
})
