import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { DecisionEnvelope, EventEnvelope, RejectedEnvelope } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { profilesOf } from '#aggregator/commands/rebuild/history.js'
import { isSigned, signatureOf } from '#collector/keys/signatures.js'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { profilesOfStream } from '../support/profiles-of-stream.js'
import { applyAndDetect } from '../support/signals.js'

const IDENTITY_SECRET = 'identity-secret-0123456789'
const SECRET_KEY = 'sk_live_0123456789abcdef'

/** As a site's server computes it, with nothing of ours. */
const sign = (userId: string) => createHmac('sha256', IDENTITY_SECRET).update(userId).digest('hex')

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  await putSite(url, 'shop', { identitySecret: IDENTITY_SECRET, secretKeys: [SECRET_KEY] })
  await putSite(url, 'signed-only', { identitySecret: IDENTITY_SECRET })
})
afterAll(() => broker?.stop())

async function post(path: string, key: string, body: object) {
  const headers = { Authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` }
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: (await response.json()) as { rejected?: { code: string }[] } }
}

const identify = (anonymousId: string | undefined, userId: string | number, identity?: object, rest: object = {}) => ({
  type: 'identify',
  anonymousId,
  userId,
  traits: { plan: 'gold' },
  ...(identity && { context: { identity } }),
  ...rest,
})
const last = async () => (await readAll(broker.nats)).at(-1)!
const profile = async (visitorId: string, siteId = 'shop') =>
  [...(await profilesOfStream(broker.nats, broker.installation)).values()].find(
    one => one.siteId === siteId && one.visitorId === visitorId,
  )

describe('a signature', () => {
  it('is lower-case hex of HMAC-SHA256 over the user id, and nothing else is one', () => {
    for (const userId of ['bob', '7', 'änne@example.com', '✓'.repeat(50)]) {
      expect(signatureOf(IDENTITY_SECRET, userId)).toBe(sign(userId))
      expect(isSigned(IDENTITY_SECRET, userId, sign(userId))).toBe(true)
    }
    const right = sign('bob')
    const wrong = ['', right.toUpperCase(), `${right} `, right.slice(1), `0x${right}`, sign('bo'), null, [right], {}, 0]
    for (const signature of wrong) expect(isSigned(IDENTITY_SECRET, 'bob', signature)).toBe(false)
    expect(isSigned('another-secret-0123456789', 'bob', right)).toBe(false)
  })
})

describe('the examples of docs/security.md', () => {
  const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
  const example = (language: string) => new RegExp(`\`\`\`${language}\\n([^\`]+)\`\`\``).exec(page)?.[1] ?? ''
  const userId = 'änne@example.com'
  const runs: [language: string, command: string, args: (code: string) => string[]][] = [
    [
      'js',
      process.execPath,
      code => ['--input-type=module', '-e', `const userId = '${userId}'; ${code}; process.stdout.write(signature)`],
    ],
    ['php', 'php', code => ['-r', `$userId = '${userId}'; ${code} echo $signature;`]],
    ['python', 'python3', code => ['-c', `user_id = '${userId}'\n${code}\nprint(signature, end='')`]],
    ['ruby', 'ruby', code => ['-e', `user_id = '${userId}'\n${code}\nprint signature`]],
  ]

  it.for(runs)('compute the signature in %s', ([language, command, args], { skip }) => {
    const code = example(language)
    expect(code).toContain('IDENTITY_SECRET')
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', IDENTITY_SECRET }
    const { stdout, error, stderr } = spawnSync(command, args(code), { env, encoding: 'utf8' })
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
      return skip(`${command} is not on this machine`)
    expect(stdout, stderr).toBe(sign(userId))
  })
})

describe('a userId of a page', () => {
  it('is the visitor’s when it is signed; the signature goes no further', async () => {
    await post('/v1/identify', 'shop', identify('signed', 'bob', { signature: sign('bob') }))
    const envelope = await last()
    expect(envelope).not.toHaveProperty('sender')
    expect(envelope.messages[0]?.context).toMatchObject({ identity: { verified: true } })
    expect(JSON.stringify(await readAll(broker.nats))).not.toContain(sign('bob'))
    expect(await profile('signed')).toMatchObject({ userId: 'bob', traits: { plan: 'gold' } })
  })

  it.each([
    ['not signed', undefined],
    ['signed for somebody else', { signature: sign('alice') }],
    ['said to be verified by the page itself', { verified: true, sender: 'secret' }],
    ['signed in capitals', { signature: sign('bob').toUpperCase() }],
  ])('is kept as data and joins nothing when it is %s', async (how, identity) => {
    await post('/v1/batch', 'shop', { batch: [identify(how, 'bob', identity)] })
    const envelope = await last()
    expect(envelope.sender).toBe('unsigned')
    expect(envelope.messages[0]).toMatchObject({ userId: 'bob', context: { identity: { verified: false } } })
    expect(await profile(how)).toMatchObject({ anonymousId: how, userId: '' })
  })

  it('is judged message by message, also by the context of the batch', async () => {
    const signature = sign('bob')
    const batch = [
      { type: 'track', event: 'Seen', anonymousId: 'mixed', messageId: '1' },
      { ...identify('mixed', 'bob'), messageId: '2' },
      { ...identify('mixed', 'alice'), messageId: '3' },
    ]
    await post('/v1/batch', 'shop', { batch, context: { identity: { signature, note: 'kept' } } })
    const [trusted, claimed] = (await readAll(broker.nats)).slice(-2)
    expect(trusted?.messages.map(({ messageId }) => messageId)).toEqual(['1', '2'])
    expect(claimed).toMatchObject({ sender: 'unsigned', messages: [{ messageId: '3' }] })
    expect(trusted?.messages[0]?.context).toEqual(expect.objectContaining({ identity: { note: 'kept' } }))
    expect(JSON.stringify([trusted, claimed])).not.toContain(signature)
    expect((await profile('mixed'))?.userId).toBe('bob')
  })

  it('that is a number is signed as its digits; a secret key needs no signature', async () => {
    await post('/v1/identify', 'shop', identify('number', 7, { signature: sign('7') }))
    expect(await profile('number')).toMatchObject({ userId: '7' })
    await post('/v1/identify', SECRET_KEY, identify('server', 'carol'))
    expect(await profile('server')).toMatchObject({ userId: 'carol' })
  })

  it('without a browser feeds no person', async () => {
    await post('/v1/identify', 'signed-only', identify(undefined, 'dave'))
    expect(await last()).toMatchObject({ visitorId: 'user:dave', sender: 'unsigned' })
    expect(await profile('user:dave', 'signed-only')).toBeUndefined()
    await post('/v1/identify', 'signed-only', identify(undefined, 'dave', { signature: sign('dave') }))
    expect(await profile('user:dave', 'signed-only')).toMatchObject({ userId: 'dave' })
  })

  it('gives no profile in a rebuild from the table that it did not give before', async () => {
    const row = {
      site_id: 'shop',
      message_id: 'm',
      type: 'identify' as const,
      event: '',
      user_id: 'bob',
      session_id: '',
      timestamp: '2026-01-01T00:00:00.000Z',
      properties: {},
      traits: {},
      received_at: '2026-01-01T00:00:00.000Z',
      sender: 'unsigned' as const,
    }
    async function* rows() {
      yield { ...row, anonymous_id: 'browser' }
      yield { ...row, anonymous_id: '' }
    }
    const found = []
    for await (const one of profilesOf(rows(), () => 1)) found.push([one.visitorId, one.userId])
    expect(found).toEqual([['browser', '']])
  })

  it('leaves no signature behind in a rejected message', async () => {
    const signature = sign('bob')
    const message = identify('rejected', 'bob', { signature }, { timestamp: 'never' })
    expect((await post('/v1/batch', 'shop', { batch: [message] })).body.rejected).toHaveLength(1)
    const kept = await readAll<RejectedEnvelope>(broker.nats, 'REJECTED')
    expect(JSON.stringify(kept)).not.toContain(signature)
    // What was found out is with it, so that a replay takes it for what it was.
    expect(JSON.parse(kept.at(-1)!.rejected[0]!.payload)).toMatchObject({ context: { identity: { verified: true } } })
    const { payload } = kept.at(-1)!.rejected[0]!
    const replayed = { ...JSON.parse(payload), messageId: 'replayed', timestamp: undefined }
    const response = await fetch(`${url}/v1/admin/sites/shop/rejected/replay`, {
      method: 'POST',
      headers: { Authorization: 'Bearer secret' },
      body: JSON.stringify({ messages: [{ message: replayed, receivedAt: kept.at(-1)!.receivedAt }] }),
    })
    expect(await response.json()).toMatchObject({ accepted: 1 })
    expect(await last()).not.toHaveProperty('sender')
  })

  it('without proof cannot stand in the way of what is proven, in a profile neither', () => {
    const envelope = (sender: EventEnvelope['sender'], event: string): EventEnvelope => ({
      siteId: 'shop',
      visitorId: 'v',
      receivedAt: '2026-01-01T00:00:00.000Z',
      ...(sender && { sender }),
      messages: [
        { messageId: 'order-1001', type: 'track', event, anonymousId: 'v', timestamp: '2026-01-01T00:00:00.000Z' },
      ],
    })
    let known = applyAndDetect(undefined, envelope('unsigned', 'Fake'), 1).profile
    known = applyAndDetect(known, envelope(undefined, 'Fake'), 2).profile
    known = applyAndDetect(known, envelope('secret', 'Order Completed'), 3).profile
    known = applyAndDetect(known, envelope('secret', 'Order Completed'), 4).profile
    expect(known?.events).toBe(3)
  })
})

describe('slots', () => {
  const ask = (key: string, body: object) => post('/v1/slots', key, { slots: [{ id: 'hero' }], ...body })
  const lastDecision = async () => (await readAll<DecisionEnvelope>(broker.nats, 'DECISIONS')).at(-1)!

  it('are answered for the browser alone unless the userId is signed', async () => {
    for (const signature of [undefined, null, sign('alice'), '']) {
      expect((await ask('shop', { anonymousId: 'asker', userId: 'bob', signature })).status).toBe(200)
      const { visitorId, decisions } = await lastDecision()
      expect(visitorId).toBe('asker')
      expect(decisions[0]).not.toHaveProperty('userId')
    }
    await ask('shop', { anonymousId: 'asker', userId: 'bob', signature: sign('bob') })
    expect((await lastDecision()).decisions[0]).toMatchObject({ anonymousId: 'asker', userId: 'bob' })
    expect(JSON.stringify(await lastDecision())).not.toContain(sign('bob'))
  })

  it('of a person are for secret keys, and where there are none, for signatures', async () => {
    expect((await ask('shop', { userId: 'bob', signature: sign('bob') })).status).toBe(403)
    expect((await ask(SECRET_KEY, { userId: 'bob' })).status).toBe(200)
    expect((await lastDecision()).visitorId).toBe('user:bob')
    expect((await ask('signed-only', { userId: 'bob' })).status).toBe(403)
    expect((await ask('signed-only', { userId: 'bob', signature: sign('bob') })).status).toBe(200)
  })

  it('take a signature as text only', async () => {
    expect((await ask('shop', { anonymousId: 'a', userId: 'bob', signature: 1 })).status).toBe(400)
  })
})
