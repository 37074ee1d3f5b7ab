import { counted } from '@slotstream/core'
import { findAdminToken } from '@slotstream/runtime/settings'
import { type AdminCall, createAdminCall } from '../admin-call.js'
import { differenceOf } from '../profiles/difference.js'
import { type Catalog, type FoundTest, readFolder, writeFolder } from './catalog-folder.js'
import { checkFolder, refuseFailing } from './check-folder.js'
import { type Command, USAGE } from './parse-arguments.js'
import { changesOfTaken } from './taken-contents.js'
import { writeSlotTypes } from './write-slot-types.js'

type Print = (line: string) => void

/** Runs a command and prints its outcome. Throws CommandError when it could not be done. */
export async function runCommand(command: Command, env: NodeJS.ProcessEnv, print: Print): Promise<void> {
  if (command.do === 'help') return print(USAGE)
  if (command.do === 'check') return check(command.folder, print)
  if (command.do === 'types') {
    const { slots } = checkFolder(command.folder, await readFolder(command.folder), 'types')
    return writeSlotTypes(slots, command.out, print)
  }
  const call = createAdminCall(command.collector, command.site, await findAdminToken(env))
  if (command.do === 'pull') return pull(command, call, print)
  const folder = await readFolder(command.folder)
  const published = (await call('GET', '/catalog')) as Catalog & { revision: number }
  const mine = checkFolder(command.folder, folder, command.do, published)
  const lines = [
    ...linesOf('slot', published.slots, mine.slots),
    ...linesOf('content', published.content, mine.content),
    ...changesOfTaken(published, mine),
  ]
  for (const line of lines) print(line)
  if (command.do === 'diff') return lines.length > 0 ? undefined : print(NOTHING)
  printTests(folder.tests, await refuseFailing(folder.tests, mine, command.site, CLOCK, command.do), print)
  if (lines.length === 0) return print(NOTHING)
  if (command.dryRun) return print('Nothing was published: it was a dry run.')
  await push(command, mine, published.revision, folder.tests, call, print)
}

const CLOCK = () => performance.now()

const NOTHING = 'Nothing to publish: the site has all of it.'

async function check(folder: string, print: Print): Promise<void> {
  const read = await readFolder(folder)
  const catalog = checkFolder(folder, read, 'check')
  const missing = await refuseFailing(read.tests, catalog, '', CLOCK, 'check')
  const { slots, content } = catalog
  print(`${counted(slots.length, 'slot')}, ${counted(content.length, 'content')}: no problems`)
  printTests(read.tests, missing, print)
  if (read.slots === undefined) print('Whether its slots are there is checked when it is pushed.')
}

async function push(
  { site, draft }: Command & { do: 'push' },
  { slots, content }: Catalog,
  revision: number,
  foundTests: readonly FoundTest[],
  call: AdminCall,
  print: Print,
): Promise<void> {
  const tests = foundTests.map(({ test }) => test)
  const body = { slots, content, revision, replace: true, ...(draft && { draft }), ...(tests.length > 0 && { tests }) }
  const answer = (await call('POST', '/catalog', body)) as { revision: number; warnings?: string[] }
  print(draft ? `${site}: drafted after revision ${answer.revision}` : `${site}: catalog revision ${answer.revision}`)
  // Those of tests have been printed, with the names of their files.
  for (const warning of answer.warnings ?? []) if (!warning.startsWith('tests[')) print(`! ${warning}`)
}

async function pull({ folder, force }: Command & { do: 'pull' }, call: AdminCall, print: Print): Promise<void> {
  const { slots, content } = (await call('GET', '/catalog')) as Catalog
  const { written, different } = await writeFolder(folder, { slots, content }, force)
  for (const path of written) print(`wrote ${path}`)
  for (const path of different) print(`${path} differs from what is published, and was left as it is: see --force`)
  if (written.length + different.length === 0) print('The folder has everything that is published.')
}

function linesOf(kind: string, before: readonly { id: string }[], after: readonly { id: string }[]): string[] {
  const named = (items: readonly { id: string }[]) => items.map(({ id, ...item }) => ({ name: id, ...item }))
  return differenceOf(kind, named(before), named(after))
}

function printTests(tests: readonly unknown[], missing: readonly string[], print: Print): void {
  if (tests.length > 0) print(`${counted(tests.length, 'decision test')} passed`)
  for (const line of missing) print(`! ${line}`)
}
