import { describe, expect, it } from 'vitest'
import { ArgumentError, readArguments } from '#bench/options.js'

const KNOWN = ['ingest', 'pipeline']

describe('readArguments', () => {
  it('runs all benches, short, when nothing is asked for', () => {
    expect(readArguments([], KNOWN)).toEqual({
      names: KNOWN,
      options: {
        seconds: 60,
        backlog: 500_000,
        events: 1_000_000,
        rows: 1_000_000,
        profiles: 1_000_000,
        rate: 1_000,
        visitors: 100_000,
        views: 40,
        contents: 1_000,
        rounds: 5,
        flood: '',
        before: '',
      },
    })
  })

  it('takes names and numbers', () => {
    expect(
      readArguments(
        [
          'pipeline',
          '--seconds',
          '600',
          '--backlog=5000000',
          '--events=2',
          '--rows=3',
          '--rate=4',
          '--rounds=3',
          '--flood=idle',
          '--before',
          '../old',
        ],
        KNOWN,
      ),
    ).toMatchObject({
      names: ['pipeline'],
      options: {
        seconds: 600,
        backlog: 5_000_000,
        events: 2,
        rows: 3,
        profiles: 1_000_000,
        rate: 4,
        rounds: 3,
        flood: 'idle',
        before: '../old',
      },
    })
  })

  it.each([[['speed']], [['--seconds', 'many']], [['--backlog=0']], [['--minutes=3']]])('refuses %j', args => {
    expect(() => readArguments(args, KNOWN)).toThrow(ArgumentError)
  })
})
