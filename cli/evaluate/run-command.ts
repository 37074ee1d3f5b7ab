import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import type { Environment } from '@slotstream/runtime/settings'
import { CommandError } from '@slotstream/tracking-plan'
import { type Command, USAGE } from './parse-arguments.js'
import { evaluateRanking, type RankingReport } from './ranking/evaluate-ranking.js'
import { readCategories } from './ranking/read-categories.js'
import { readInteractions } from './ranking/read-interactions.js'
import { runValue } from './value/run-value.js'

/**
 * Runs the command and prints what it finds.
 *
 * @param env says where ClickHouse is. Default: as `npm start` has it
 * @throws CommandError when a file cannot be read
 */
export async function runCommand(
  command: Command,
  print: (line: string) => void,
  env: Environment = {},
): Promise<void> {
  if (command.do === 'help') return print(USAGE)
  if (command.do === 'value') return print(await runValue(command, env))
  const { log, split, items, json } = command
  const interactions = readInteractions(await textOf(log), log)
  const categories = items === undefined ? undefined : readCategories(await textOf(items), items)
  const report = evaluateRanking(interactions, split, categories)
  print(json ? JSON.stringify(report) : tableOf(report))
}

async function textOf(path: string): Promise<string> {
  const bytes = await readFile(path).catch(error => {
    throw new CommandError(`${path} cannot be read: ${(error as Error).message}`)
  })
  // Titles in MovieLens' files are Latin 1. Ids must be read as they are: the split by hash depends on them.
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
}

function tableOf({ split, users, policies }: RankingReport): string {
  const rows = Object.entries(policies).map(([name, measures]) =>
    measures
      ? [name, measures.ndcg10, measures.recall10, measures.hitRate10].map(cellOf).join('')
      : `${name.padEnd(14)}not measured: see --items`,
  )
  const header = ['', 'NDCG@10', 'recall@10', 'hit rate@10'].map(cellOf).join('')
  return [`split ${split}, ${users} users`, header, ...rows].join('\n')
}

function cellOf(value: string | number): string {
  return (typeof value === 'number' ? value.toFixed(4) : value).padEnd(14)
}
