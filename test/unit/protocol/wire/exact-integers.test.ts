import { digitsOf, isMarkedNumber, markIntegers, takeDigitsOfIds, withDigits } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const BIG = '175928847299117063'
const MARK = '\ufdd0'

const through = (json: string) => {
  const marked = markIntegers(json)
  return marked === undefined ? undefined : withDigits(JSON.stringify(JSON.parse(marked)))
}

describe('whole numbers beyond 2^53', () => {
  it.each([
    `{"a":${BIG}}`,
    `[${BIG},-${BIG},9007199254740992,-9007199254740993]`,
    `{"text":"a \\" ${BIG}","b":[{"c":${BIG}}],"d":1.5}`,
    `{"text":"\\\\","n":${BIG}}`,
    `{":\\"${BIG}":${BIG},"${BIG}":1}`,
    '18446744073709551615',
    '[123456789012345678901234567890]',
    `{"é":"日本","n":${BIG}}`,
  ])('keep their digits: %s', json => {
    if (json.startsWith('1')) expect(markIntegers(json)).toBe(`"${MARK}${json}"`)
    else expect(through(json)).toBe(json)
  })

  it('are found behind white space and at the end', () => {
    expect(through(`{ "a" : ${BIG} , "b" :\n[ ${BIG} ] }`)).toBe(`{"a":${BIG},"b":[${BIG}]}`)
  })

  it.each([
    '{"a":9007199254740991,"b":-9007199254740991}',
    '{"a":1234567890.1234567890123456789,"b":1e300,"c":1234567890123456789e2,"d":1234567890123456789.5}',
    `{"a":"${BIG}","${BIG}":"x ${BIG}, y"}`,
    '{"messageId":"0198c2a0-0000-7000-8000-000000000001"}',
    '[]',
  ])('are all that is marked: %s stays', json => {
    expect(markIntegers(json)).toBeUndefined()
  })

  it('are left to JavaScript where the text has the mark itself, so that no text becomes a number', () => {
    expect(markIntegers(`{"a":"${MARK}${BIG}","b":${BIG}}`)).toBeUndefined()
    expect(markIntegers(`{"a":"\\ufdd0${BIG}","b":${BIG}}`)).toBeUndefined()
    expect(markIntegers(`{"a":"\\uFDD0${BIG}","b":${BIG}}`)).toBeUndefined()
  })

  it('are written back as values alone: text and keys that look alike stay', () => {
    const text = JSON.stringify({ [`${MARK}${BIG}`]: `,"${MARK}${BIG}",`, b: `${MARK}${BIG}x` })
    expect(withDigits(text)).toBe(text)
  })

  it('are no text that begins with the mark', () => {
    for (const text of [`${MARK}alice`, `${MARK}12`, `${MARK}${BIG}x`, MARK]) {
      expect(isMarkedNumber(text)).toBe(false)
      expect(digitsOf(text)).toBe(text)
      expect(takeDigitsOfIds({ userId: text })).toBe(false)
    }
    expect(isMarkedNumber(`${MARK}-${BIG}`)).toBe(true)
  })

  it('are text as ids', () => {
    const message = JSON.parse(
      markIntegers(`{"userId":${BIG},"anonymousId":"a","context":{"sessionId":${BIG}},"properties":{"n":${BIG}}}`)!,
    )
    expect(takeDigitsOfIds(message)).toBe(true)
    expect(takeDigitsOfIds(message)).toBe(false)
    expect(message).toMatchObject({ userId: BIG, anonymousId: 'a', context: { sessionId: BIG } })
    expect(digitsOf(message.properties.n)).toBe(BIG)
  })
})
