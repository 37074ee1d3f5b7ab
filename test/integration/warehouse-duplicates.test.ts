import { describe, expect, it } from 'vitest'
import { EVENTS, setUpWarehouse } from '../support/set-up-warehouse.js'
import { stored, type World } from './warehouse-world.js'

let world: World
const { loaded, drained, eachOnce } = setUpWarehouse(current => {
  world = current.world
})

function old(index: number) {
  const time = new Date(Date.UTC(2019, 10, 24) + index * 1000).toISOString()
  return stored({ messageId: `old-${index}`, timestamp: time, originalTimestamp: time, sentAt: time })
}

describe('duplicates', () => {
  it('leaves out a second send, in the same block, a later one, and after a restart', async () => {
    const message = stored()
    const first = world.load()
    await world.publish([message, message])
    await loaded(1)
    await world.publish([message])
    await drained()
    await first.stop()
    world.load()
    await world.publish([message])
    await drained()
    expect(await world.number(`${EVENTS} WHERE message_id = '${message.messageId}'`)).toBe(1)
  })

  it('keeps one id of two visitors, and of two sites, as separate messages', async () => {
    world.load()
    await world.publish([stored({ messageId: 'same' })])
    await world.publish([stored({ messageId: 'same', anonymousId: 'v2' })])
    await world.publish([stored({ messageId: 'same' })], new Date().toISOString(), 'other')
    await loaded(3)
  })

  it('finds a second send days later, and one without any client time', async () => {
    const days = (n: number) => new Date(Date.now() - n * 24 * 3600 * 1000).toISOString()
    const timed = stored({ timestamp: days(5), originalTimestamp: days(5), sentAt: days(5) })
    const { originalTimestamp: _, ...untimed } = stored({ timestamp: days(3) })
    const first = world.load()
    await world.publish([timed], days(5))
    await world.publish([untimed], days(3))
    await loaded(2)
    await first.stop()
    world.load()
    await world.publish([{ ...timed, timestamp: days(4.99) }])
    await world.publish([{ ...untimed, timestamp: new Date().toISOString() }])
    await drained()
    await eachOnce()
  })

  it('finds ids of any characters', async () => {
    world.load()
    const ids = ["it's", '\\', 'a\nb', 'a\tb', 'nul\0', '😀', "'),(1,'", '[', '%27', 'x'.repeat(256), '{ids:String}']
    const time = '2019-01-01T00:00:00.123Z'
    const timed = ids.map(messageId => stored({ messageId, timestamp: time, originalTimestamp: time }))
    const untimed = ids.map(messageId => {
      const { originalTimestamp: _, ...message } = stored({ messageId, anonymousId: 'v2' })
      return message
    })
    for (let i = 0; i < 2; i++) {
      await world.publish(timed)
      await world.publish(untimed)
      await drained()
    }
    expect(await world.number(`${EVENTS} WHERE anonymous_id != 'end'`)).toBe(2 * ids.length)
  })

  it('changes nothing when 10,000 messages of 2019 are sent again, before and after a restart', async () => {
    const limits = { maxRows: 4_000, maxBytes: 1e9, maxAgeMs: 50 }
    const send = async () => {
      for (let start = 0; start < 10_000; start += 500)
        await world.publish(Array.from({ length: 500 }, (_, i) => old(start + i)))
    }
    const first = world.load({ limits })
    await send()
    await loaded(10_000)
    await send()
    await drained()
    await first.stop()
    world.load({ limits })
    await send()
    await drained()
    expect(await world.number(`${EVENTS} WHERE message_id LIKE 'old-%'`)).toBe(10_000)
    await eachOnce()
  })
})
