import { readdirSync, readFileSync } from 'node:fs'
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_MESSAGES,
  MAX_MESSAGE_BYTES,
  MAX_NAME_LENGTH,
  MAX_PUBLIC_AGE_MS,
  MAX_SLOTS,
  NO_ID,
} from '@slotstream/protocol'
import { expect, it } from 'vitest'

const SDK = new URL('../../../../sdk/', import.meta.url)
const sources = readdirSync(SDK, { recursive: true, encoding: 'utf8' })
  .filter(path => /\.tsx?$/.test(path) && !/(^|[/\\])(dist|node_modules)[/\\]/.test(path))
  .map(path => readFileSync(new URL(path.replaceAll('\\', '/'), SDK), 'utf8'))

/** The browser package takes types alone from the protocol, to stay small, and has its limits as numbers of its own. */
function limitOfSdk(name: string): number {
  const found = sources.flatMap(text => [...text.matchAll(new RegExp(`\\b${name}(?: =|:) ([\\d_ *+-]+)`, 'g'))])
  expect(found, name).toHaveLength(1)
  return Number(Function(`return ${found[0]![1]}`)())
}

it('of the SDK keep within those of the collector', () => {
  // A message has its number in the queue appended: 32 bytes stay free for it.
  expect(limitOfSdk('MAX_MESSAGE_BYTES')).toBe(MAX_MESSAGE_BYTES - 32)
  expect(limitOfSdk('MAX_SLOTS')).toBe(MAX_SLOTS)
  const batch = limitOfSdk('maxBatchBytes') + limitOfSdk('MAX_MESSAGE_BYTES') + limitOfSdk('ENVELOPE_BYTES')
  expect(batch).toBeLessThanOrEqual(MAX_BATCH_BYTES)
  // No message has fewer bytes than its id and its type.
  expect(limitOfSdk('maxBatchBytes') / '{"messageId":"","type":"page"}'.length).toBeLessThan(MAX_BATCH_MESSAGES)
  expect(limitOfSdk('maxQueueAge')).toBeLessThan(MAX_PUBLIC_AGE_MS)
})

it('take what is no id for none in the SDK, too', () => {
  expect(sources.filter(text => text.includes(`/${NO_ID.source}|\\0|.{${MAX_NAME_LENGTH + 1}}/is`))).toHaveLength(1)
})
