import { join } from 'node:path'
import { counted, definitionFaults } from '@slotstream/core'
import { DEFINITION_KINDS, type DefinitionKind, type Definitions } from '@slotstream/protocol'
import { findAdminToken } from '@slotstream/runtime/settings'
import { CommandError } from '@slotstream/tracking-plan'
import { type AdminCall, createAdminCall } from '../admin-call.js'
import { fileOf } from '../list-folder.js'
import { readDefinitions, writeDefinitions } from './definition-folder.js'
import { differenceOf } from './difference.js'
import { type Command, USAGE } from './parse-arguments.js'

const NONE: Definitions = { features: [], patterns: [], segments: [] }

type Print = (line: string) => void

/** The site's definitions, and the revision of each kind. */
interface Published {
  definitions: Definitions
  revisions: Record<DefinitionKind, number>
}

/** Runs a command and prints its outcome. Throws CommandError when it could not be done. */
export async function runCommand(command: Command, env: NodeJS.ProcessEnv, print: Print): Promise<void> {
  if (command.do === 'help') return print(USAGE)
  if (command.do === 'check') return check(command.folder, print)
  const call = createAdminCall(command.collector, command.site, await findAdminToken(env))
  if (command.do === 'pull') return pull(command, call, print)
  const { definitions: mine, faults, isPartial } = await readDefinitions(command.folder)
  if (faults.length > 0) {
    // Without a collector the faults of the files are told all the same, but for those among the site's other sets.
    const site = await readPublished(call).catch(() => undefined)
    const kinds = checkable(mine, site !== undefined && !isPartial)
    refuseFaults(command.do, command.folder, faults, kinds, { ...NONE, ...site?.definitions, ...mine })
  }
  const published = await readPublished(call)
  const changed = changedKinds(mine, published)
  for (const { lines } of changed) for (const line of lines) print(line)
  if (changed.length === 0) return print('Nothing to publish: the site has all of it.')
  if (command.do === 'diff') return
  const kinds = changed.map(({ kind }) => kind)
  refuseFaults(command.do, command.folder, [], kinds, { ...published.definitions, ...mine })
  if (command.dryRun) return print('Nothing was published: it was a dry run.')
  for (const warning of await push(command.site, kinds, mine, published, call, print)) print(`! ${warning}`)
}

async function check(folder: string, print: Print): Promise<void> {
  const { definitions: mine, faults } = await readDefinitions(folder)
  const kinds = checkable(mine)
  refuseFaults('check', folder, faults, kinds, { ...NONE, ...mine })
  print(countsOf(mine))
  if (mine.segments !== undefined && !kinds.includes('segments'))
    print('The conditions of segments are checked when they are pushed, among the features and patterns of the site.')
}

/**
 * Returns the kinds of a folder that can be checked. Which names segments may use depends on the others, which the site
 * has where the folder has not.
 *
 * @param hasOthers whether the site's are known
 */
function checkable(mine: Partial<Definitions>, hasOthers = false): DefinitionKind[] {
  const isWhole = hasOthers || (mine.features !== undefined && mine.patterns !== undefined)
  return DEFINITION_KINDS.filter(kind => mine[kind] !== undefined && (kind !== 'segments' || isWhole))
}

/**
 * @param faultsOfForm lines that name their file already
 * @throws CommandError with a line for each fault of these kinds, naming the file
 */
function refuseFaults(
  command: Command['do'],
  folder: string,
  faultsOfForm: readonly string[],
  kinds: readonly DefinitionKind[],
  definitions: Definitions,
): void {
  const faultsOfMeaning = kinds.flatMap(kind =>
    definitionFaults(kind, definitions).map(fault => `${join(folder, fileOf(kind))}: ${fault}`),
  )
  const faults = [...new Set([...faultsOfForm, ...faultsOfMeaning])]
  if (faults.length === 0) return
  const outcome = counted(faults.length, 'problem')
  throw new CommandError([...faults, command === 'push' ? `${outcome}: nothing was published` : outcome].join('\n'))
}

function changedKinds(mine: Partial<Definitions>, { definitions }: Published) {
  return DEFINITION_KINDS.flatMap(kind => {
    const { [kind]: items } = mine
    const lines = items === undefined ? [] : differenceOf(kind, definitions[kind], items)
    return lines.length > 0 ? [{ kind, lines }] : []
  })
}

/**
 * Publishes the kinds that changed: segments come last, as they name features and signals of patterns.
 *
 * @returns what of the kinds that were not published no longer fits
 */
async function push(
  site: string,
  kinds: DefinitionKind[],
  mine: Partial<Definitions>,
  { revisions }: Published,
  call: AdminCall,
  print: Print,
): Promise<string[]> {
  const done: string[] = []
  const warnings = new Set<string>()
  for (const kind of kinds) {
    const { [kind]: items } = mine
    const answer = (await call('PUT', `/${kind}`, { [kind]: items, revision: revisions[kind] }).catch(error => {
      const before = done.length > 0 ? `\npublished before: ${done.join(', ')}` : ''
      throw error instanceof CommandError ? new CommandError(`${kind}: ${error.message}${before}`) : error
    })) as { revision: number; warnings?: string[] }
    done.push(kind)
    print(`${site}: ${kind} revision ${answer.revision}`)
    for (const warning of answer.warnings ?? []) warnings.add(warning)
  }
  // Of those that were published after it, nothing is unfit any more.
  return [...warnings].filter(warning => !kinds.some(kind => warning.startsWith(`${kind}[`)))
}

async function pull(command: Command & { do: 'pull' }, call: AdminCall, print: Print): Promise<void> {
  const { definitions } = await readPublished(call)
  const { written, different } = await writeDefinitions(command.folder, definitions, command.force)
  for (const path of written) print(`wrote ${path}`)
  for (const path of different) print(`${path} differs from what is published, and was left as it is: see --force`)
  if (written.length + different.length === 0) print('The folder has everything that is published.')
}

async function readPublished(call: AdminCall): Promise<Published> {
  const answers = await Promise.all(
    DEFINITION_KINDS.map(async kind => {
      const answer = (await call('GET', `/${kind}`)) as { revision: number } & Record<DefinitionKind, never>
      return { kind, revision: answer.revision, items: answer[kind] }
    }),
  )
  return {
    definitions: Object.fromEntries(answers.map(({ kind, items }) => [kind, items])) as unknown as Definitions,
    revisions: Object.fromEntries(answers.map(({ kind, revision }) => [kind, revision])) as Published['revisions'],
  }
}

function countsOf(definitions: Partial<Definitions>): string {
  const counts = DEFINITION_KINDS.flatMap(kind => {
    const { [kind]: items } = definitions
    if (items === undefined) return []
    return [counted(items.length, kind.slice(0, -1))]
  })
  return `${counts.join(', ')}: no problems`
}
