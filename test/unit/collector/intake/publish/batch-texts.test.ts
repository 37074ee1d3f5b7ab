import { openEnvelope } from '@slotstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchTexts } from '#collector/intake/publish/batch-texts.js'
import { createBatchText, envelopeBytes } from '#collector/intake/publish/outgoing-envelope.js'
import { takeBatch } from '#collector/intake/take-batch.js'

const indent = fc.constantFrom<string | number>('', 1, '\t', '\r\n ')
const parsed = (texts: string[] | undefined) => texts?.map(text => JSON.parse(text))

describe('batchTexts', () => {
  it('finds the elements of the list, whatever they and the rest of the batch hold, however it is written', () => {
    const body = fc.record({ batch: fc.array(fc.jsonValue()), context: fc.jsonValue(), sentAt: fc.string() })
    fc.assert(
      fc.property(body, indent, (body, space) => {
        expect(parsed(batchTexts(JSON.stringify(body, null, space)))).toEqual(JSON.parse(JSON.stringify(body.batch)))
      }),
    )
  })

  it.each([
    ['{"batch":[]}', []],
    ['{"batch":[ ]}', []],
    [' \n{ "batch" : [ 1 , "," , {"]":"}"} ] , "x" : [ ] }', [1, ',', { ']': '}' }]],
    ['{"x":{"batch":[1]},"batch":[2]}', [2]],
    [String.raw`{"x":"\"batch\":[1]\\","batch":["\\\"",{"a":"\\"}]}`, ['\\"', { a: '\\' }]],
    ['{"batch":[[1,[2]],{"batch":[3]},null,-1.5e3,true]}', [[1, [2]], { batch: [3] }, null, -1500, true]],
  ])('takes %s apart', (json, expected) => {
    expect(parsed(batchTexts(json))).toEqual(expected)
  })

  it.each([
    '{"batch":[1],"batch":[2]}',
    String.raw`{"b\u0061tch":[1],"batch":[2]}`,
    String.raw`{"batch":[2],"b\u0061tch":[1]}`,
    '{"batch":{}}',
    '{"batch":"[1]"}',
    '{}',
    '[]',
    '"batch"',
    '1',
  ])('leaves %s to others', json => {
    expect(batchTexts(json)).toBeUndefined()
  })
})

describe('a batch whose messages go on in their own text', () => {
  const id = fc.oneof(
    fc.string({ minLength: 1, maxLength: 9 }),
    fc.integer(),
    fc.constant(null),
    fc.constant('undefined'),
  )
  const time = fc.constantFrom('2026-06-01T10:00:00.000Z', '2026-6-01', '2026-06-01T10:00:00+02:00', null)
  const message = fc.record(
    {
      type: fc.constantFrom('track', 'page', 'identify', 'nonsense'),
      event: fc.constantFrom('E', '', null),
      messageId: id,
      anonymousId: fc.constantFrom('a', 'b', 7, null),
      userId: fc.constantFrom('u', 8, null),
      timestamp: time,
      sentAt: fc.constantFrom('2026-06-01T10:00:05.000Z', 'nonsense'),
      originalTimestamp: fc.constant('forged'),
      properties: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.constant(null)),
      context: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.constant(null)),
      integrations: fc.jsonValue(),
      custom: fc.jsonValue(),
    },
    { requiredKeys: ['type'] },
  )
  const body = fc.record(
    {
      batch: fc.array(fc.oneof({ weight: 9, arbitrary: message as fc.Arbitrary<unknown> }, fc.jsonValue())),
      sentAt: time,
      context: fc.constantFrom({ locale: 'de' }),
      ledger: fc.constant({ captured: 3, sent: 2, acknowledged: 1, dropped: {} }),
    },
    { requiredKeys: ['batch'] },
  )
  const arrival = { siteId: 'shop', received: Date.parse('2026-06-01T12:00:00.000Z'), bytes: 1_000, userAgent: 'UA' }

  function taken(json: string, isText: boolean) {
    let made = 0
    const newId = () => `made-${made++}`
    const { envelopes, ...rest } = takeBatch(JSON.parse(json), {
      ...arrival,
      newId,
      ...(isText ? { text: createBatchText({ text: json, utf8: Buffer.from(json) }) } : {}),
    })
    const { rejected, ...told } = rest
    // A rejected message is kept as it came, white space and all.
    const payloads = rejected?.rejected.map(({ payload }) => JSON.parse(payload))
    return {
      ...told,
      payloads,
      envelopes: envelopes.map(each => openEnvelope(JSON.parse(Buffer.from(envelopeBytes(each)).toString()))),
    }
  }

  it('is stored as one whose messages are written anew', () => {
    fc.assert(
      fc.property(body, indent, (body, space) => {
        const json = JSON.stringify(body, null, space)
        expect(taken(json, true)).toEqual(taken(json, false))
      }),
    )
  })
})
