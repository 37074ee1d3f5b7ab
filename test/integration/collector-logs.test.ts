import { afterAll, beforeAll, expect, it } from 'vitest'
import { putSite, startBroker } from '../support/collector.js'
import { until } from '../support/until.js'

let broker: Awaited<ReturnType<typeof startBroker>>

beforeAll(async () => {
  broker = await startBroker()
})

afterAll(() => broker?.stop())

/** Each in a place of its own, so that whatever is logged of a request is noticed. */
const PERSONAL = {
  anonymousId: 'anonymous-4711',
  userId: 'user-4711',
  email: 'jane.doe@shop.example',
  address: '203.0.113.47',
  userAgent: 'Browser-4711',
  event: 'Event-4711',
  query: 'query-4711',
  messageId: 'message-4711',
  origin: 'https://origin-4711.example',
  writeKey: 'write-key-4711',
}

it('logs nothing of a visitor and no secret, whatever goes wrong, at the most talkative level', async () => {
  const collector = await broker.program({ LOG_LEVEL: 'trace' })
  await putSite(collector.url, 'logs', { writeKeys: [PERSONAL.writeKey], allowedOrigins: [PERSONAL.origin] })
  const { anonymousId, userId, email, event, messageId, writeKey } = PERSONAL
  const message = { type: 'track', event, anonymousId, userId, messageId, properties: { email } }
  const batch = [message, { ...message, event: 5 }, { ...message, timestamp: email }]
  const send = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${collector.url}${path}?${PERSONAL.query}`, {
      method: 'POST',
      headers: {
        'User-Agent': PERSONAL.userAgent,
        'X-Forwarded-For': PERSONAL.address,
        Origin: PERSONAL.origin,
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const everything = async () => {
    const statuses = [
      await send('/v1/batch', { writeKey, batch }),
      await send('/v1/batch', { writeKey: `${writeKey}-unknown`, batch }),
      await send('/v1/batch', { writeKey, batch }, { Origin: 'https://foreign-4711.example' }),
      await send('/v1/batch', `{"email": "${email}"`),
      await send('/v1/slots', { writeKey, anonymousId, userId, slots: [{ id: email }], batch }),
      await send(`/v1/${email}`, {}),
      await send('/sdk/%zz', {}),
      await send('/v1/admin/sites', {}, { Authorization: 'Bearer wrong-4711' }),
    ].map(({ status }) => status)
    return statuses
  }
  expect(await everything()).toEqual([200, 401, 403, 400, 200, 404, 400, 401])
  await broker.kill()
  await until('it is noticed', everything, statuses => statuses[0] === 503)
  await broker.start()
  await until('it goes on', everything, statuses => statuses[0] === 200)
  expect(await collector.end()).toBe(0)

  const log = collector.output()
  const lines = log.trim().split('\n')
  expect(lines.map(line => JSON.parse(line).msg)).toContain('lost the connection to NATS, reconnecting')
  // The admin token is "secret" here, and sites without secret keys are named.
  const told = log.replaceAll(/secret keys|secretKeys/g, '')
  for (const secret of [...Object.values(PERSONAL), '4711', 'secret']) expect(told).not.toContain(secret)
})
