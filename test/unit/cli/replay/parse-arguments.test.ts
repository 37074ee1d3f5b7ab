import { describe, expect, it } from 'vitest'
import { parseArguments as understandIn } from '#cli/replay/parse-arguments.js'

const parseArguments = (args: string[], env = {}) => understandIn(args, env)

describe('the command line of a replay', () => {
  it('of rejected messages is understood', () => {
    const order = parseArguments([
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

  it('of decisions is understood', () => {
    const args = [
      'decisions',
      '--site',
      'shop',
      '--from',
      '2026-01-01',
      '--to',
      '2026-01-02',
      '--with',
      'p.json',
      '--json',
    ]
    const period = { site: 'shop', slot: undefined, from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 2) }
    const collector = 'http://localhost:3000'
    expect(parseArguments(args)).toEqual({
      do: 'decisions',
      period,
      with: ['p.json'],
      bots: 'exclude',
      json: true,
      collector,
    })
    expect(parseArguments([...args, '--bots', 'include'])).toMatchObject({ bots: 'include' })
    // Whose, and until when, need not be said.
    expect(parseArguments(['decisions', '--from', '2026-01-01'])).toMatchObject({
      period: { site: undefined, from: Date.UTC(2026, 0, 1), to: expect.any(Number) },
    })
    expect(() => parseArguments([...args, '--bots', 'some'])).toThrow('--bots must be exclude or include, not "some"')
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
    [['decisions', '--site', 'shop']],
    [['decisions', '--from', '2999-01-01']],
    [['decisions', '--site', 'shop', '--from', '2026-01-02', '--to', '2026-01-01']],
    [['decisions', 'more', '--site', 'shop', '--from', '2026-01-01', '--to', '2026-01-02']],
  ])('%j is rejected', args => {
    expect(() => parseArguments(args)).toThrow(/npm run replay|must be/)
  })
})
