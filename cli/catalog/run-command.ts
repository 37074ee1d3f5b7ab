import { findAdminToken } from '@slotstream/runtime/settings'
import { type AdminCall, createAdminCall } from '../admin-call.js'
import { counted } from '../counted.js'
import { differenceOf } from '../profiles/difference.js'
import { type Catalog, type FoundTest, readFolder, writeFolder } from './catalog-folder.js'
import { checkFolder, refuseFailing } from './check-folder.js'
import { type Command, USAGE } from './parse-arguments.js'
import { changesOfTaken } from './taken-contents.js'
import { writeSlotTypes } from './write-slot-types.js'

type Say = (line: string) => void

/** Runs a command and prints its outcome. Throws CommandError when it could not be done. */
export async function runCommand(order: Command, env: NodeJS.ProcessEnv, say: Say): Promise<void> {
  if (order.do === 'help') return say(USAGE)
  if (order.do === 'check') return check(order.folder, say)
  if (order.do === 'types') {
    const { slots } = checkFolder(order.folder, await readFolder(order.folder), 'types')
    return writeSlotTypes(slots, order.out, say)
  }
  const call = createAdminCall(order.collector, order.site, await findAdminToken(env))
  if (order.do === 'pull') return pull(order, call, say)
  const found = await readFolder(order.folder)
  const published = (await call('GET', '/catalog')) as Catalog & { revision: number }
  const mine = checkFolder(order.folder, found, order.do, published)
  const lines = [
    ...linesOf('slot', published.slots, mine.slots),
    ...linesOf('content', published.content, mine.content),
    ...changesOfTaken(published, mine),
  ]
  for (const line of lines) say(line)
  if (order.do === 'diff') return lines.length > 0 ? undefined : say(NOTHING)
  await refuseFailing(found.tests, mine, order.site, CLOCK, order.do)
  sayTests(found.tests, say)
  if (lines.length === 0) return say(NOTHING)
  if (order.dryRun) return say('Nothing was published: it was a dry run.')
  await push(order, mine, published.revision, found.tests, call, say)
}

const CLOCK = () => performance.now()

const NOTHING = 'Nothing to publish: the site has all of it.'

async function check(folder: string, say: Say): Promise<void> {
  const found = await readFolder(folder)
  const catalog = checkFolder(folder, found, 'check')
  await refuseFailing(found.tests, catalog, '', CLOCK, 'check')
  const { slots, content } = catalog
  say(`${counted(slots.length, 'slot')}, ${counted(content.length, 'content')}: no problems`)
  sayTests(found.tests, say)
  if (found.slots === undefined) say('Whether its slots are there is checked when it is pushed.')
}

async function push(
  { site, draft }: Command & { do: 'push' },
  { slots, content }: Catalog,
  revision: number,
  found: readonly FoundTest[],
  call: AdminCall,
  say: Say,
): Promise<void> {
  const tests = found.map(({ test }) => test)
  const body = { slots, content, revision, replace: true, ...(draft && { draft }), ...(tests.length > 0 && { tests }) }
  const answer = (await call('POST', '/catalog', body)) as { revision: number; warnings?: string[] }
  say(draft ? `${site}: drafted after revision ${answer.revision}` : `${site}: catalog revision ${answer.revision}`)
  for (const warning of answer.warnings ?? []) say(`! ${warning}`)
}

async function pull({ folder, force }: Command & { do: 'pull' }, call: AdminCall, say: Say): Promise<void> {
  const { slots, content } = (await call('GET', '/catalog')) as Catalog
  const { written, different } = await writeFolder(folder, { slots, content }, force)
  for (const path of written) say(`wrote ${path}`)
  for (const path of different) say(`${path} differs from what is published, and was left as it is: see --force`)
  if (written.length + different.length === 0) say('The folder has everything that is published.')
}

function linesOf(kind: string, before: readonly { id: string }[], after: readonly { id: string }[]): string[] {
  const named = (items: readonly { id: string }[]) => items.map(({ id, ...item }) => ({ name: id, ...item }))
  return differenceOf(kind, named(before), named(after))
}

function sayTests(tests: readonly unknown[], say: Say): void {
  if (tests.length > 0) say(`${counted(tests.length, 'decision test')} passed`)
}
