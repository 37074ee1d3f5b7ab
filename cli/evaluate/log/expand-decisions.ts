import { isObject, parseJson } from '@slotstream/protocol'
import { CommandError } from '@slotstream/tracking-plan'
import { DECISION_COLUMNS, REWARD_COLUMNS } from './columns.js'
import { unescaped } from './unescaped.js'

/** Columns of the records that an export of `decisions` is made into. */
export const EXPANDED = [
  'decision_id',
  'timestamp',
  'content_id',
  'position',
  'propensity',
  'reward',
  'candidates',
  'above',
  'affinities',
  'known',
  'draw',
  'policy_version',
]

/** Makes records of `EXPANDED`, one for each content that a decision showed. */
export type ExpandDecision = (fields: readonly string[], where: string) => string[][]

/**
 * Returns how records of an export of the table `decisions` are read, which has a row for each decision and lists in
 * its columns. Undefined: the header is none of one with rewards.
 */
export function expansionOf(header: readonly string[]): ExpandDecision | undefined {
  const names = header.map(name => name.trim())
  const reward = REWARD_COLUMNS.find(name => names.includes(name))
  if (reward === undefined || !DECISION_COLUMNS.every(name => names.includes(name))) return undefined
  return (fields, where) => {
    const textOf = (name: string) => fields[names.indexOf(name)] ?? ''
    const listOf = (name: string) => listIn(textOf(name), `${where}: ${name}`)
    const ids = listOf('content_ids').map(String)
    const chances = listOf('propensities')
    const rewards = rewardsIn(textOf(reward), ids.length, `${where}: ${reward}`)
    const features = objectIn(textOf('features'))
    const first = Number(textOf('position') || 1)
    return ids.map((id, place) => [
      textOf('decision_id'),
      textOf('timestamp'),
      id,
      String(first + place),
      String(chances[place] ?? 'nan'),
      rewards[place]!,
      candidatesIn(listOf('candidates')),
      JSON.stringify(ids.slice(0, place)),
      JSON.stringify(features.affinities ?? {}),
      typeof features.known === 'string' ? features.known : '',
      typeof features.draw === 'string' ? features.draw : '',
      textOf('policy_version'),
    ])
  }
}

/** Returns a reward for each content; of one content it may be a number alone. */
function rewardsIn(text: string, contents: number, where: string): string[] {
  const rewards = text.startsWith('[') ? listIn(text, where).map(String) : [text]
  if (rewards.length === contents || contents === 0) return rewards
  throw new CommandError(`${where} has ${rewards.length} numbers, the decision showed ${contents} contents`)
}

/** Returns ids with their chances as JSON, where all of them are there. */
function candidatesIn(candidates: readonly unknown[]): string {
  const pairs = candidates.map(each =>
    Array.isArray(each) ? [each[0], each.at(-1)] : isObject(each) ? [each.content_id, each.probability] : [each, 0],
  )
  const sum = pairs.reduce((total, [, chance]) => total + Number(chance), 0)
  return Math.abs(sum - 1) < 1e-6 ? JSON.stringify(pairs) : ''
}

function objectIn(text: string): Record<string, unknown> {
  const value = text === '' ? {} : parseJson(text)
  return isObject(value) ? value : {}
}

function listIn(text: string, where: string): unknown[] {
  const value = text === '' ? [] : (parseJson(text) ?? parseJson(jsonOf(text)))
  if (Array.isArray(value)) return value
  throw new CommandError(`${where} is ${text.slice(0, 80)}, it must be a list as ClickHouse or JSON writes it`)
}

/** Returns a list of ClickHouse as JSON: texts are in single quotes there, and tuples in round brackets. */
function jsonOf(list: string): string {
  return list.replace(/'((?:[^'\\]|\\.)*)'|[()]|-?\b(?:nan|inf)\b/gs, (whole, text?: string) => {
    if (text !== undefined) return JSON.stringify(unescaped(text))
    return whole === '(' ? '[' : whole === ')' ? ']' : 'null'
  })
}
