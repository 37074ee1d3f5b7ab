import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parseArguments as deadLetters } from '#aggregator/commands/dead-letters/parse-arguments.js'
import { parseArguments as learning } from '#aggregator/commands/learning/parse-arguments.js'
import { parseArguments as parity } from '#aggregator/commands/parity/parse-arguments.js'
import { parseArguments as rebuild } from '#aggregator/commands/rebuild/parse-arguments.js'
import { parseArguments as streams } from '#aggregator/commands/streams/parse-arguments.js'
import { parseArguments as catalog } from '#cli/catalog/parse-arguments.js'
import { parseArguments as evaluate } from '#cli/evaluate/parse-arguments.js'
import { parseArguments as plan } from '#cli/plan/parse-arguments.js'
import { parseArguments as profiles } from '#cli/profiles/parse-arguments.js'
import { parseArguments as replay } from '#cli/replay/parse-arguments.js'
import { parseArguments as clickhouseUsers } from '#clickhouse/users/parse-arguments.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const ENV = { ADMIN_TOKEN: 'token', LAKE_DIR: '/lake' }

/** What parses the arguments of a command; it throws for those that the command would refuse. */
const PARSERS: Record<string, (args: string[]) => unknown> = {
  catalog: args => catalog(args, ENV),
  'clickhouse-users': clickhouseUsers,
  'dead-letters': deadLetters,
  evaluate,
  learning,
  parity,
  plan: args => plan(args, ENV),
  profiles: args => profiles(args, ENV),
  rebuild,
  replay: args => replay(args, ENV),
  streams,
}

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const PAGES = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter(page => !page.startsWith('examples/'))

/** Commands as pages name them: in lines of code blocks, and in code spans, which may go on in the next line. */
const commands = PAGES.flatMap(page => {
  const text = readFileSync(join(ROOT, page), 'utf8')
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```/gms)]
    .filter(([, language]) => language === '' || language === 'sh')
    .flatMap(([, , code = '']) => code.split('\n'))
  const spans = [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`]*)`/g)].map(([, code = '']) => code)
  return [...blocks, ...spans].flatMap(line => {
    const found = /\bnpm run (?:--silent )?([\w:-]+)(?: -- ([^#&|]*))?/.exec(line.replace(/\s+/g, ' '))
    if (!found) return []
    const args = (found[2] ?? '').trim().split(' ').filter(Boolean)
    return [{ page, line, name: found[1]!, args, isInBlock: blocks.includes(line) }]
  })
})

it('pages name commands that there are', () => {
  expect(commands.length).toBeGreaterThan(60)
  expect(
    commands.filter(({ name }) => !Object.hasOwn(scripts, name)).map(({ page, line }) => `${page}: ${line}`),
  ).toEqual([])
})

it('pages name arguments that the commands take', () => {
  // Where a sentence only names a command, or leaves its arguments open, it says nothing about them.
  const told = commands.filter(
    ({ name, args, isInBlock }) =>
      Object.hasOwn(PARSERS, name) &&
      (isInBlock || args.some(arg => arg.startsWith('--'))) &&
      !args.some(arg => /…|\||^\[/.test(arg)),
  )
  expect(told.length).toBeGreaterThan(30)
  const refused = told.flatMap(({ page, line, name, args }) => {
    try {
      PARSERS[name]!(args.map(arg => (/^[A-Z]+$/.test(arg) ? arg.toLowerCase() : arg)))
      return []
    } catch (error) {
      return [`${page}: ${line}: ${(error as Error).message.split('\n')[0]}`]
    }
  })
  expect(refused).toEqual([])
})
