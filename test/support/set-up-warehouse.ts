import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { type ClickHouse, createWorld, startClickHouse, stored, type World } from '../integration/warehouse-world.js'
import { until } from './until.js'

/** Query of the number of rows of `events`. */
export const EVENTS = 'SELECT count() FROM slotstream.events'

/**
 * Starts one ClickHouse for the tests of a file, and a world with empty tables for each of them.
 *
 * @param onStart is called with them before each test
 */
export function setUpWarehouse(onStart: (current: { clickhouse: ClickHouse; world: World }) => void) {
  let clickhouse: ClickHouse
  let world: World

  beforeAll(async () => {
    clickhouse = await startClickHouse()
  })
  afterAll(() => clickhouse?.stop())
  async function begin(layout?: NodeJS.ProcessEnv) {
    world = await createWorld(clickhouse, layout)
    onStart({ clickhouse, world })
  }
  beforeEach(() => begin())
  afterEach(() => world?.stop())

  return {
    /** Begins anew with another layout of streams. */
    async beginAnew(layout: NodeJS.ProcessEnv) {
      await world.stop()
      await begin(layout)
    },
    /** Waits until `events` has exactly this number of rows. */
    loaded: (count: number) =>
      until(
        `${count} events`,
        () => world.number(EVENTS),
        n => n === count,
      ),
    /** Publishes a message of its own and waits for its row: all messages before it have been handled then. */
    async drained() {
      const messageId = `end-${Math.random()}`
      await world.publish([stored({ messageId, anonymousId: 'end' })])
      await until(
        'the last message',
        () => world.number(`${EVENTS} WHERE message_id = '${messageId}'`),
        n => n === 1,
      )
    },
    /** Expects each message to be one row. */
    async eachOnce() {
      expect(
        await world.number('SELECT count() - uniqExact(site_id, anonymous_id, message_id) FROM slotstream.events'),
      ).toBe(0)
    },
  }
}
