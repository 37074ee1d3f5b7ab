import { describe, expect, it } from 'vitest'
import { parseArguments } from '#aggregator/commands/parity/parse-arguments.js'

describe('the command line of a parity report', () => {
  it('names a site, and may name how many visitors, a date and the form', () => {
    expect(parseArguments(['--site', 'demo'])).toEqual({ site: 'demo', sample: 100, json: false })
    expect(parseArguments(['--site=demo', '--sample', '5', '--date', '2026-05-01', '--json'])).toEqual({
      site: 'demo',
      sample: 5,
      salt: '2026-05-01',
      json: true,
    })
  })

  it.each([
    [[], '--site is missing'],
    [['--site', 'demo', '--sample', '0'], '--sample must be a whole number from 1'],
    [['--site', 'demo', '--sample', 'all'], '--sample must be'],
    [['--site', 'demo', '--date', 'today'], '--date must be a date'],
    [['--site', 'demo', '--other'], 'usage: npm run parity'],
  ])('is rejected with what is wrong: %o', (args, reason) => {
    expect(() => parseArguments(args)).toThrow(reason)
  })
})
