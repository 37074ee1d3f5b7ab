import type { KvEntry } from '@nats-io/kv'
import { createLog } from '@slotstream/runtime'
import { expect, it } from 'vitest'
import { includesBots } from '#aggregator/results/includes-bots.js'

const sites = (text?: string) => ({
  get: async (key: string) =>
    text === undefined
      ? null
      : ({ key, revision: 1, operation: 'PUT', json: () => JSON.parse(text) } as unknown as KvEntry),
})

it.each([
  ['{"siteId":"shop","writeKeys":["w"],"bots":"include"}', true],
  ['{"siteId":"shop","writeKeys":["w"],"bots":"exclude"}', false],
  ['{"siteId":"shop","writeKeys":["w"]}', false],
  ['{', false],
  [undefined, false],
])('programs count where the site says so: %s', async (text, expected) => {
  expect(await includesBots(sites(text), 'shop', createLog('test'))).toBe(expected)
})
