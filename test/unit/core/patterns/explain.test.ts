import { expect, it } from 'vitest'
import { BUILTIN_PATTERNS } from '#core/patterns/builtin.js'
import { explainPattern } from '#core/patterns/explain.js'

it('an absence is explained: by a timer, as late as it lasts and the grace', () => {
  const pattern = { ...BUILTIN_PATTERNS[0]!, grace: '1m' }
  expect(explainPattern(pattern)).toEqual({
    name: 'cart_abandonment',
    kind: 'sequence',
    entity: 'person',
    evaluated: 'stream',
    freshness: {
      seconds: 1860,
      text: 'found 1800 s of absence and 60 s of grace after the last message, by a timer or a later message of the visitor',
    },
    state: { bytesAtMost: expect.any(Number), text: expect.stringContaining('up to 64 messages within the grace') },
    cost: {
      events: ['Product Added', 'Order Completed'],
      conditionsPerMessage: 1,
      text:
        'messages of 2 events are looked at, with 1 conditions at most; others cost nothing; ' +
        "those of a user are told to the user's other browsers, up to 20",
    },
  })
})

it('what a message completes is explained: in the same request', () => {
  const pattern = { name: 'back', event: '*', after: '7d' }
  expect(explainPattern(pattern)).toMatchObject({
    entity: 'visitor',
    evaluated: 'request',
    freshness: { seconds: 0, text: 'found with the message that completes it' },
    cost: { events: ['*'], conditionsPerMessage: 0, text: 'every message is looked at, with 0 conditions at most' },
  })
})

it('the explanation is data: it can be sent', () => {
  for (const pattern of BUILTIN_PATTERNS) {
    const explanation = explainPattern(pattern)
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation)
  }
})
