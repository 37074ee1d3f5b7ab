import { createLog, createMetrics, type Nats } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { doAlone } from '#aggregator/ownership/do-alone.js'
import { startBroker } from '../support/collector.js'
import { until } from '../support/until.js'

const log = createLog('test')
log.level = 'silent'

let broker: Awaited<ReturnType<typeof startBroker>>
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(() => broker?.stop())

let names = 0

/** Waits for its turn as a process of its own does. */
function take<T>(group: string, work: Parameters<typeof doAlone<T>>[2], { abort = new AbortController() } = {}) {
  const { installation } = broker
  const nats: Nats = broker.nats
  const name = `process-${names++}`
  return doAlone(
    { nats, installation, metrics: createMetrics(), log, identity: { id: name, name }, group },
    abort.signal,
    work,
  )
}

describe('what one process does alone', () => {
  it('is done by one after the other, and by the next where one fails', async () => {
    let working = 0
    const order: string[] = []
    const work =
      (name: string, fails = false) =>
      async (isMyTurn: () => Promise<boolean>) => {
        expect(++working).toBe(1)
        expect(await isMyTurn()).toBe(true)
        await new Promise(resolve => setTimeout(resolve, 700))
        order.push(name)
        working--
        if (fails) throw new Error(`${name} fails`)
        return name
      }
    const results = await Promise.allSettled([
      take('one', work('a')),
      take('one', work('b', true)),
      take('one', work('c')),
    ])
    expect(results.map(result => (result.status === 'fulfilled' ? result.value : result.reason.message))).toEqual([
      'a',
      'b fails',
      'c',
    ])
    expect(order.sort()).toEqual(['a', 'b', 'c'])
  })

  it('is not waited for when the process is to end', async () => {
    let finish = () => {}
    let isWorking = false
    const first = take('two', () => {
      isWorking = true
      return new Promise<void>(resolve => {
        finish = resolve
      })
    })
    await until('the first one works', () => isWorking, Boolean)
    const abort = new AbortController()
    const second = take('two', async () => 'done', { abort })
    abort.abort()
    await expect(second).rejects.toMatchObject({ code: 'stopped' })
    finish()
    await first
  })
})
