import { afterEach, expect, it } from 'vitest'
import { createIncomingBodies, type IncomingBodies } from '#clickhouse/http/clients/incoming-bodies.js'

const time = 0
let bodies: IncomingBodies
const create = (maxBytes = 1_000) => {
  bodies = createIncomingBodies(
    { maxBytes, minBytesPerSecond: 500, graceMs: 10_000, trustedPauseMs: 600_000 },
    () => time,
  )
  return bodies
}
afterEach(() => bodies.stop())

const outcome = (lost: Promise<never>): Promise<string> =>
  Promise.race([lost, Promise.resolve('kept')]).then(
    text => text,
    (error: { type: string }) => error.type,
  )

it('when all together are too large, the one on its way for the longest time gives way', async () => {
  const { open } = create()
  const [slow, quick, late] = [{ bytesRead: 0 }, { bytesRead: 0 }, { bytesRead: 0 }].map(socket => open(socket, false))
  slow!.arrived(600)
  quick!.arrived(300)
  quick!.complete()
  late!.arrived(200)
  expect(await Promise.all([slow!, quick!, late!].map(({ lost }) => outcome(lost)))).toEqual([
    'TOO_MANY_SIMULTANEOUS_QUERIES',
    'kept',
    'kept',
  ])
  expect(() => slow!.arrived(5_000)).toThrow('send this again later')
  late!.arrived(400)
  expect(await outcome(late!.lost)).toBe('kept')
})

it('what is worked on keeps its room, and the next one has to go', async () => {
  const { open } = create()
  const first = open({ bytesRead: 0 }, false)
  first.arrived(900)
  first.complete()
  const second = open({ bytesRead: 0 }, false)
  second.arrived(200)
  expect(await outcome(second.lost)).toBe('TOO_MANY_SIMULTANEOUS_QUERIES')
  first.close()
  const third = open({ bytesRead: 0 }, false)
  third.arrived(900)
  expect(await outcome(third.lost)).toBe('kept')
})

it('a single one may be as large as it is let, and the trusted user’s don’t count', async () => {
  const { open } = create()
  const large = open({ bytesRead: 0 }, false)
  large.arrived(5_000)
  const trusted = open({ bytesRead: 0 }, true)
  trusted.arrived(1_000_000)
  expect([await outcome(large.lost), await outcome(trusted.lost)]).toEqual(['kept', 'kept'])
})
