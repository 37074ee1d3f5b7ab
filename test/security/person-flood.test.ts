import { setTimeout as pause } from 'node:timers/promises'
import { connectNats, createLog, type Nats } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readWhole } from '../../aggregator/people/read-whole.js'
import { startNatsServer } from '../support/nats-server.js'

const log = createLog('test')
log.level = 'silent'

let server: Awaited<ReturnType<typeof startNatsServer>>
let nats: Nats

beforeAll(async () => {
  server = await startNatsServer()
  nats = await connectNats(server.url, 'test', log)
  await nats.manager.streams.add({ name: 'FLOODED', subjects: ['flooded.*'] })
  await nats.manager.streams.add({ name: 'REPLACED', subjects: ['replaced.*'], max_msgs_per_subject: 1 })
})
afterAll(async () => {
  await nats?.close()
  await server?.stop()
})

describe('reading a stream once, as deletions and exports do', () => {
  it.each([
    ['to which messages keep coming', 'flooded.1'],
    ['whose messages are replaced all the time', 'replaced.1'],
  ])(
    'ends in a stream %s',
    async (_name, subject) => {
      let isFlooding = true
      const flood = (async () => {
        while (isFlooding)
          await Promise.all(Array.from({ length: 20 }, () => nats.js.publish(subject, 'x'.repeat(500))))
      })()
      try {
        for (let round = 0; round < 10; round++) {
          const { last_seq } = (await nats.manager.streams.info(subject === 'flooded.1' ? 'FLOODED' : 'REPLACED')).state
          const seen: number[] = []
          for await (const message of readWhole(nats, subject === 'flooded.1' ? 'FLOODED' : 'REPLACED', log)) {
            seen.push(message.seq)
            // What a reader does with a message takes a while.
            if (round % 2 && message.seq % 50 === 0) await pause(2)
          }
          if (subject === 'flooded.1') expect(seen.filter(seq => seq <= last_seq)).toHaveLength(last_seq)
        }
      } finally {
        isFlooding = false
        await flood
      }
    },
    60_000,
  )
})
