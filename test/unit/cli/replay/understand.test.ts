import { describe, expect, it } from 'vitest'
import { understand as understandIn } from '#cli/replay/understand.js'

const understand = (args: string[], env = {}) => understandIn(args, env)

describe('the command line of a replay', () => {
  it('of rejected messages is understood', () => {
    const order = understand([
      'rejected',
      '--site',
      'shop',
      '--code',
      'too_deep',
      '--code',
      'schema_violation',
      '--since',
      '2026-01-31',
    ])
    expect(order).toMatchObject({
      do: 'rejected',
      collector: 'http://localhost:3000',
      dryRun: false,
      selection: { siteId: 'shop', codes: ['too_deep', 'schema_violation'], since: Date.UTC(2026, 0, 31) },
    })
  })

  it.each([
    [[]],
    [['nonsense']],
    [['open-bandit']],
    [['open-bandit', 'a', 'b']],
    [['rejected']],
    [['rejected', 'more', '--site', 'shop']],
    [['rejected', '--site', 'Shop!']],
    [['rejected', '--site', 'shop', '--code', 'x']],
    [['rejected', '--site', 'shop', '--until', 'tomorrow']],
    [['rejected', '--nonsense']],
  ])('%j is refused', args => {
    expect(() => understand(args)).toThrow(/npm run replay|must be/)
  })
})
