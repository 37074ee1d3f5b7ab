import { describe, expect, it } from 'vitest'
import { understand } from '#aggregator/commands/rebuild/understand.js'

describe('the command line of a rebuild', () => {
  it('takes where from, and what', () => {
    expect(understand(['--from', 'stream'])).toEqual({ from: 'stream' })
    expect(understand(['--from', 'lake'])).toEqual({ from: 'lake' })
    expect(understand(['--from=events', '--only', 'profiles,sessions'])).toEqual({
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
    expect(() => understand(args)).toThrow('usage: npm run rebuild -- --from stream|events')
  })
})
