import { parseArgs } from 'node:util'

/** How long and how much: the defaults are short. */
export interface BenchOptions {
  /** How long the pipeline runs at a steady rate, in seconds. `--seconds`, default 60. */
  seconds: number
  /** Events that it catches up on. `--backlog`, default 500,000. */
  backlog: number
  /** Events that one collector takes while its memory is watched. `--events`, default 1,000,000. */
  events: number
  /** Rows that queries are timed over, and that policies are valued by. `--rows`, default 1,000,000. */
  rows: number
  /** Profiles that are held. `--profiles`, default 1,000,000. */
  profiles: number
  /** Slot requests a second, at most. `--rate`, default 1,000. */
  rate: number
  /** Visitors who ask for slots. `--visitors`, default 100,000. */
  visitors: number
  /** First views of each page. `--views`, default 40. */
  views: number
  /** Contents of the slots. `--contents`, default 1,000. */
  contents: number
  /** Rounds of each flood. `--rounds`, default 5. */
  rounds: number
  /** Part of the names of the floods that are measured. `--flood`, default all. */
  flood: string
  /** Folder of a built checkout to compare with. `--before`, default none. */
  before: string
}

/** Arguments that cannot be followed; the message says why. */
export class ArgumentError extends Error {
  override name = 'ArgumentError'
}

/**
 * Returns the benches that are asked for, and the options.
 *
 * @throws ArgumentError
 */
export function readArguments(args: string[], benches: string[]): { names: string[]; options: BenchOptions } {
  const { values, positionals } = parsed(args)
  const unknown = positionals.filter(name => !benches.includes(name))
  if (unknown.length > 0)
    throw new ArgumentError(`there is no bench ${unknown.join(', ')}: give ${benches.join(', ')}, or nothing for all`)
  const number = (name: Exclude<keyof BenchOptions, 'before' | 'flood'>) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < 1) throw new ArgumentError(`--${name} must be a whole number above 0`)
    return value
  }
  return {
    names: positionals.length > 0 ? positionals : benches,
    options: {
      seconds: number('seconds'),
      backlog: number('backlog'),
      events: number('events'),
      rows: number('rows'),
      profiles: number('profiles'),
      rate: number('rate'),
      visitors: number('visitors'),
      views: number('views'),
      contents: number('contents'),
      rounds: number('rounds'),
      flood: values.flood,
      before: values.before,
    },
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '60' },
        backlog: { type: 'string', default: '500000' },
        events: { type: 'string', default: '1000000' },
        rows: { type: 'string', default: '1000000' },
        profiles: { type: 'string', default: '1000000' },
        rate: { type: 'string', default: '1000' },
        visitors: { type: 'string', default: '100000' },
        views: { type: 'string', default: '40' },
        contents: { type: 'string', default: '1000' },
        rounds: { type: 'string', default: '5' },
        flood: { type: 'string', default: '' },
        before: { type: 'string', default: '' },
      },
    })
  } catch (error) {
    throw new ArgumentError(error instanceof Error ? error.message : String(error))
  }
}
