import { writeFile } from 'node:fs/promises'
import { counted } from '@slotstream/core'
import { newestOfModels, sortedVersions } from '@slotstream/protocol'
import { findAdminToken } from '@slotstream/runtime/settings'
import { CommandError } from '@slotstream/tracking-plan'
import { type AdminClient, createAdminClient, type StoredPlan } from './admin-client.js'
import { checkSchemas, summary } from './check.js'
import { difference, merged } from './difference.js'
import { generateTypes } from './generate-types.js'
import { type Command, USAGE } from './parse-arguments.js'
import { readSchemas } from './schema-folder.js'
import { writeSchemas } from './write-schemas.js'

/** Runs a command and prints its outcome. Throws CommandError when it could not be done. */
export async function runCommand(
  command: Command,
  env: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<void> {
  if (command.do === 'help') return print(USAGE)
  if (command.do === 'check') {
    const schemas = await readSchemas(command.folder)
    const report = await checkSchemas(schemas)
    for (const line of report.lines) print(line)
    if (report.problems.length > 0) throw new CommandError(summary(schemas, report))
    return print(summary(schemas, report))
  }
  if (command.do === 'types') {
    const text = await generateTypes(await readSchemas(command.folder))
    if (command.out === undefined) return print(text.trimEnd())
    await writeFile(command.out, text)
    return print(`wrote ${command.out}`)
  }
  const client = createAdminClient(command.collector, command.site, await findAdminToken(env))
  if (command.do === 'list') {
    for (const line of listOf(await client.read())) print(line)
    return
  }
  if (command.do === 'mode') return settings(command.site, await client.settings(command.settings), print)
  if (command.do === 'push') return push(command, client, print)
  const { written, different } = await writeSchemas(command.folder, (await client.read()).schemas)
  for (const path of written) print(`wrote ${path}`)
  for (const path of different) print(`${path} differs from what is published, and was left as it is`)
  if (written.length + different.length === 0) print('The folder has everything that is published.')
}

async function push(
  { folder, site, settings: planSettings, prune, force, dryRun }: Command & { do: 'push' },
  client: AdminClient,
  print: (line: string) => void,
): Promise<void> {
  const mine = await readSchemas(folder)
  const published = await client.read()
  const schemas = prune ? mine : merged(published.schemas, mine)
  const { problems } = await checkSchemas(schemas)
  if (problems.length > 0 && !force)
    throw new CommandError([...problems, 'nothing was published: see npm run plan -- check, or --force'].join('\n'))
  const { added, changed, removed } = difference(published.schemas, schemas)
  for (const [sign, names] of [
    ['+', added],
    ['~', changed],
    ['-', removed],
  ] as const)
    for (const name of names) print(`${sign} ${name}`)
  if (changed.length > 0 && !force)
    throw new CommandError(
      `nothing was published: ${changed.join(', ')} is published with other content. Give the change a version of its own, or use --force`,
    )
  const unlisted = prune ? [] : difference(published.schemas, mine).removed
  if (unlisted.length > 0)
    print(`${counted(unlisted.length, 'version')} that the folder doesn't have: kept, see --prune`)
  const changes = added.length + changed.length + removed.length
  if (dryRun) return print(changes === 0 ? 'Nothing would change.' : 'Nothing was published: it was a dry run.')
  if (changes === 0 && Object.keys(planSettings).length === 0)
    return print('Nothing to publish: the site has all of it.')
  const { revision } = published
  settings(site, await client.replace({ schemas, ...planSettings, revision, force }), print)
}

function settings(site: string, { revision, mode, unplanned }: StoredPlan, print: (line: string) => void): void {
  print(
    `${site}: revision ${revision}, mode ${mode}${unplanned === 'violation' ? ', unplanned events are violations' : ''}`,
  )
  if (mode === 'off') print(`Nothing is checked yet: npm run plan -- mode warn --site ${site}`)
}

function listOf({ schemas, revision, mode, unplanned }: StoredPlan): string[] {
  const events = Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))
  if (events.length === 0) return ['There is no plan.']
  const width = Math.max(...events.map(([event]) => event.length))
  const lines = events.map(([event, versions]) => {
    const newest = new Set(newestOfModels(Object.keys(versions)))
    // The others count only for messages that name them.
    const names = sortedVersions(Object.keys(versions)).map(version => (newest.has(version) ? version : `(${version})`))
    return `${event.padEnd(width)}  ${names.join('  ')}`
  })
  return [...lines, `revision ${revision}, mode ${mode}, unplanned events: ${unplanned}`]
}
