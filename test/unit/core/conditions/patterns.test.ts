import { describe, expect, it } from 'vitest'
import { MAX_PATTERN_TEXT } from '#core/conditions/limits.js'
import { compilePattern } from '#core/conditions/patterns/compile-pattern.js'
import { literalPattern } from '#core/conditions/patterns/literal-pattern.js'

const matches = (pattern: string, text: string, ignoresCase = false) => compilePattern(pattern, { ignoresCase })(text)

describe('a pattern', () => {
  it.each([
    ['^(a+)+$', false],
    ['(a|aa)+$', false],
    ['^(\\w+\\s?)*$', false],
    ['(.*a){20}', true],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', false],
    ['(a+a+)+y', false],
  ])('%s takes time that grows with the text only', (pattern, expected) => {
    // The usual engine would take longer than the universe has existed.
    expect(matches(pattern, `${'a'.repeat(MAX_PATTERN_TEXT - 1)}!`)).toBe(expected)
  })

  it.each<[pattern: string, yes: string[], no: string[]]>([
    ['shop', ['shop', 'a shop b'], ['Shop', 'sho']],
    ['^/shop/', ['/shop/', '/shop/tents'], ['a/shop/', '/shop']],
    ['-12-25$', ['1980-12-25'], ['1980-12-25\n', '1980-12-25T00:00']],
    ['^a\\.b$', ['a.b'], ['axb', 'a.b\n', ' a.b']],
    ['(Mobile|Tablet)', ['Android Mobile', 'Tablet'], ['Desktop']],
    ['^(?:a|b\\|c)$', ['a', 'b|c'], ['b', 'c', 'ab']],
  ])('%s of literals needs no engine', (pattern, yes, no) => {
    const literal = literalPattern(pattern)!
    for (const text of yes) expect([literal(text), matches(pattern, text)], text).toEqual([true, true])
    for (const text of no) expect([literal(text), matches(pattern, text)], text).toEqual([false, false])
  })

  it.each([
    'a.c',
    'a*',
    '^a|b$',
    '(a|)',
    '[ab]',
    'a{2}',
    '\\d',
    '\\bfoo',
    'ü',
    '(?i)a',
    '()',
    '',
    '^',
    '$',
    'a^',
    '$a',
  ])('%j is no literal', pattern => {
    expect(literalPattern(pattern)).toBeUndefined()
    expect(() => compilePattern(pattern, { ignoresCase: false })).not.toThrow()
  })

  it('ignores the case of all letters where asked to', () => {
    expect(matches('(MOBILE|tablet)', 'android Mobile', true)).toBe(true)
    expect(matches('^k$', '\u212a', true)).toBe(true)
    expect(matches('ÄRGER', 'kein ärger', true)).toBe(true)
    expect(matches('^k$', '\u212a')).toBe(false)
  })

  it('may have more words than the engine may have instructions', () => {
    const words = Array.from({ length: 60 }, (_, i) => `word-${i}`)
    expect(matches(`^(${words.join('|')})$`, 'word-59')).toBe(true)
    expect(matches(`^(${words.join('|')})$`, 'word-60')).toBe(false)
  })
})
