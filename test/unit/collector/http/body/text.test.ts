import { describe, expect, it } from 'vitest'
import { cutBytes, jsonText } from '#collector/http/body/json-text.js'
import { wellFormed } from '#collector/http/body/well-formed.js'

const high = '\\ud83d'
const low = '\\ude00'

describe('wellFormed', () => {
  it.each([
    ['text without surrogates', '{"a":"b\\n\\u00e4"}', 'b\n\u00e4'],
    ['a pair', `{"a":"${high}${low}"}`, '😀'],
    ['a lone high one', `{"a":"x${high}y"}`, 'x\ufffdy'],
    ['a lone low one', `{"a":"${low}"}`, '\ufffd'],
    ['two high ones and a low one', `{"a":"${high}${high}${low}"}`, '\ufffd😀'],
    ['the wrong order', `{"a":"${low}${high}"}`, '\ufffd\ufffd'],
    ['capital digits', '{"a":"\\uD800"}', '\ufffd'],
    ['the mark of numbers', '{"a":"\ufdd01234567890123456"}', '\ufffd1234567890123456'],
    ['the mark of numbers as an escape', '{"a":"\\uFdD01234567890123456"}', '\ufffd1234567890123456'],
    ['an escaped backslash before what looks like the mark', '{"a":"\\\\ufdd0"}', '\\ufdd0'],
    ['an escaped backslash before what looks like one', '{"a":"\\\\ud800"}', '\\ud800'],
    ['an escaped backslash and a lone one', '{"a":"\\\\\\ud800"}', '\\\ufffd'],
  ])('handles %s', (_what, json, expected) => {
    expect(JSON.parse(wellFormed(json))).toEqual({ a: expected })
  })

  it('mends keys too', () => {
    expect(JSON.parse(wellFormed('{"\\ud800":1}'))).toEqual({ '\ufffd': 1 })
  })

  it('leaves broken JSON broken', () => {
    expect(() => JSON.parse(wellFormed('{"a":"\\ud800'))).toThrow(SyntaxError)
  })
})

describe('jsonText', () => {
  it('is the JSON text', () => {
    expect(jsonText({ a: [1, null] })).toBe('{"a":[1,null]}')
  })

  it('cuts off what is nested too deeply', () => {
    const deep = JSON.parse(`${'{"a":['.repeat(50_000)}1${']}'.repeat(50_000)}`)
    expect(jsonText(deep)).toMatch(/^(\{"a":\[){32}"…"(\]\}){32}$/)
  })
})

describe('cutBytes', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc'],
    ['aä', 2, 'a'],
    ['ää', 3, 'ä'],
    ['a😀', 4, 'a'],
    ['😀', 4, '😀'],
  ])('cuts %j to %i bytes', (text, max, expected) => {
    expect(cutBytes(text, max)).toBe(expected)
  })
})
