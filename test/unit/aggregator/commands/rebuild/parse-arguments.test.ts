import { describe, expect, it } from 'vitest'
import { parseArguments } from '#aggregator/commands/rebuild/parse-arguments.js'

describe('the command line of a rebuild', () => {
  it('takes where from, and what', () => {
    expect(parseArguments(['--from', 'stream'])).toEqual({ from: 'stream' })
    expect(parseArguments(['--from', 'lake'])).toEqual({ from: 'lake' })
    expect(parseArguments(['--from=events', '--only', 'profiles,sessions'])).toEqual({
      from: 'events',
      only: ['profiles', 'sessions'],
    })
  })

  it.each([
    [],
    ['--from'],
    ['--from', 'nowhere'],
    ['--only', 'profiles'],
    ['--from', 'stream', '--only', 'a;b'],
    ['profiles'],
  ])('refuses %s %s %s %s and says how it goes', (...args) => {
    expect(() => parseArguments(args)).toThrow('usage: npm run rebuild -- --from stream|events')
  })
})
