import { describe, expect, it } from 'vitest'
import { parseEnvelope } from '#aggregator/profiles/store/parse-envelope.js'

const [BIG, TIME] = ['175928847299117063', '2026-11-27T09:00:00.000Z']

const envelope = (traits: string) =>
  new TextEncoder().encode(
    `{"siteId":"shop","visitorId":"v","receivedAt":"${TIME}","messages":[{"messageId":"m","type":"identify","anonymousId":"v",
      "timestamp":"${TIME}","traits":${traits}}]}`,
  )

describe('parseEnvelope', () => {
  it('has whole numbers beyond 2^53 as text with all digits, and all other values as they are', () => {
    const text = `{"n":${BIG},"list":[-${BIG},1.5],"text":"${BIG}, ${BIG}","float":1e300,"small":9007199254740991}`
    expect(parseEnvelope(envelope(text))).toMatchObject({
      messages: [
        {
          traits: {
            ...{ n: BIG, list: [`-${BIG}`, 1.5], text: `${BIG}, ${BIG}` },
            ...{ float: 1e300, small: 9007199254740991 },
          },
        },
      ],
    })
  })

  it('rejects text that is no JSON, whatever digits it has', () => {
    for (const text of [`${BIG}"`, `{"n":${BIG},"`, `${BIG}\\"`])
      expect(parseEnvelope(new TextEncoder().encode(text))).toBeInstanceOf(Error)
  })
})
