import { describe, expect, it } from 'vitest'
import { understand } from '#aggregator/commands/dead-letters/understand.js'

describe('the command line of dead letters', () => {
  it('lists unless told otherwise', () => {
    expect(understand([])).toEqual({ do: 'list' })
    expect(understand(['list'])).toEqual({ do: 'list' })
  })

  it('takes numbers, or all of them for a replay', () => {
    expect(understand(['show', '7'])).toEqual({ do: 'show', number: 7 })
    expect(understand(['replay', '7', '8'])).toEqual({ do: 'replay', numbers: [7, 8] })
    expect(understand(['replay', '--all'])).toEqual({ do: 'replay', numbers: 'all' })
    expect(understand(['drop', '7'])).toEqual({ do: 'drop', numbers: [7] })
  })

  it.each([
    ['burn'],
    ['show'],
    ['replay'],
    ['drop'],
    ['drop', '--all'],
    ['show', '1', '2'],
    ['replay', '0'],
    ['drop', 'x'],
  ])('refuses %s %s and says how it goes', (...args) => {
    expect(() => understand(args)).toThrow('npm run dead-letters -- list')
  })
})
