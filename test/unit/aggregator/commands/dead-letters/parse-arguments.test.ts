import { describe, expect, it } from 'vitest'
import { parseArguments } from '#aggregator/commands/dead-letters/parse-arguments.js'

describe('the command line of dead letters', () => {
  it('lists unless told otherwise', () => {
    expect(parseArguments([])).toEqual({ do: 'list' })
    expect(parseArguments(['list'])).toEqual({ do: 'list' })
  })

  it('takes numbers, or all of them for a replay', () => {
    expect(parseArguments(['show', '7'])).toEqual({ do: 'show', number: 7 })
    expect(parseArguments(['replay', '7', '8'])).toEqual({ do: 'replay', numbers: [7, 8] })
    expect(parseArguments(['replay', '--all'])).toEqual({ do: 'replay', numbers: 'all' })
    expect(parseArguments(['drop', '7'])).toEqual({ do: 'drop', numbers: [7] })
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
    expect(() => parseArguments(args)).toThrow('npm run dead-letters -- list')
  })
})
