import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { linearPattern } from '#tracking-plan/compile/linear-pattern.js'

/** Whether the usual engine may take a pattern. */
const isNative = (pattern: string) => linearPattern(pattern) instanceof RegExp

describe('a pattern', () => {
  it.each(['^[A-Z]{3}$', '^\\d{4}-\\d{2}-\\d{2}$', '^sku-[a-z0-9]+$', '^[^ ]*@x$', '^a{2,5}b', '^'])(
    '%s that cannot be slowed down goes the fast way, and finds the same',
    pattern => {
      expect(isNative(pattern)).toBe(true)
      const linear = RE2JS.compile(RE2JS.translateRegExp(pattern))
      for (const text of ['EUR', 'EURO', '2026-01-31', 'sku-1', 'sku-', 'a@x', 'aaab', 'aaaaaab', '', 'ü', 'sku-😀'])
        expect(linearPattern(pattern).test(text), text).toBe(linear.matcher(text).find())
    },
  )

  it.each(['^(a+)+$', '^a*a*$', '^\\d+\\w+$', 'a+b', '^a|b', '^(a|a)*$', '^[a-z]+[0-9]+$', '^a?a?a?$'])(
    '%s that may be slowed down goes the way that cannot be',
    pattern => {
      expect(isNative(pattern)).toBe(false)
      linearPattern(pattern).test(`${'a'.repeat(20_000)}!`)
    },
  )
})
