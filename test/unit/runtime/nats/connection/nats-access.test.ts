import { natsAccess, parseNatsUrl } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'

const of = (env: NodeJS.ProcessEnv) => natsAccess({ DATA_DIR: '/nowhere', ...env })

describe('the settings of NATS', () => {
  it('are this machine without any', () => {
    expect(of({})).toEqual({ servers: ['nats://127.0.0.1:4222'] })
    expect(of({ NATS_PORT: '5000' })).toEqual({ servers: ['nats://127.0.0.1:5000'] })
  })

  it('take a user from NATS_USER, or from a URL, whose servers are left without it', () => {
    expect(of({ NATS_USER: 'u', NATS_PASSWORD: 'p' })).toMatchObject({ user: 'u', password: 'p' })
    expect(of({ NATS_URL: 'nats://a%40b:p%2F%3A@n1:4222,nats://n2:4222' })).toEqual({
      servers: ['nats://n1:4222', 'nats://n2:4222'],
      user: 'a@b',
      password: 'p/:',
    })
    // As people write them: not encoded, without a scheme.
    expect(parseNatsUrl('u:p@ss@n1')).toEqual({ servers: ['nats://n1'], user: 'u', password: 'p@ss' })
    expect(of({ NATS_URL: 'nats://u:p@n1', NATS_USER: 'v', NATS_PASSWORD: 'q' })).toMatchObject({
      user: 'v',
      password: 'q',
    })
  })

  it('want TLS by the scheme or by the files for it', () => {
    expect(of({ NATS_URL: 'tls://n1:4222' }).tls).toEqual({})
    expect(of({ NATS_CA_FILE: '/ca.pem' }).tls).toEqual({ caFile: '/ca.pem' })
    expect(of({ NATS_CERT_FILE: '/c.pem', NATS_KEY_FILE: '/k.pem' }).tls).toEqual({
      certFile: '/c.pem',
      keyFile: '/k.pem',
    })
    expect(of({ NATS_URL: 'nats://n1:4222' }).tls).toBeUndefined()
  })

  it('are rejected, without a word of the password, when they cannot be understood', () => {
    expect(() => of({ NATS_URL: 'nats://u:geheim@' })).toThrow(/^NATS_URL has an address that is none: give nats:/)
    expect(() => of({ NATS_PASSWORD: 'geheim' })).toThrow('NATS_PASSWORD is set without NATS_USER: set both')
  })
})
