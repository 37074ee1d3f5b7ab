import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const filesOf = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', ...patterns], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n')

const PAGES = filesOf('*.md')
  // The words to avoid are listed in docs/style.md. What was written about earlier versions stays as it was.
  .filter(page => page !== 'docs/style.md' && page !== 'CHANGELOG.md')

const read = (page: string) => readFileSync(join(ROOT, page), 'utf8')

/** Words that docs/style.md rules out, in prose that is read outside of code. */
const AVOIDED =
  /\b(whoever|somebody|nobody|anybody|can not|heeded|refused|dies|says goodbye|stands? in (?!place)|stood in|made anew|goes before)\b/gi

/** Where a valuation is refused, as its answer says; a browser's signal refuses consent; a column is named so. */
const REFUSALS =
  /^docs\/evaluation\.md$|^(core|cli|aggregator)\/.*(evaluat|replay)|^sdk\/client\/consent\.ts$|\/write-barrier\.ts$/

/** A text in code, with what is put into it. */
const TEXT = /'([^'\n]*)'|"([^"\n]*)"|`([^`]*)`/g

/** Returns what is read as prose in code, a line each: comments and, outside of tests, texts that have spaces. */
function proseOf(file: string, code: string): string[] {
  const comments: string[] = []
  const rest = code.replace(/^\s*(?:\/\/|\/?\*).*|\s\/\/\s.*/gm, comment => {
    comments.push(comment.replace(/`[^`]*`/g, ''))
    return ''
  })
  if (file.startsWith('test/')) return comments
  const texts = [...rest.matchAll(TEXT)].map(([, ...quoted]) => quoted.join('').replace(/\$\{[^}]*\}/g, ''))
  return [...comments, ...texts.filter(text => text.includes(' ')).flatMap(text => text.split('\n'))]
}

const avoidedIn = (file: string, prose: string) =>
  [...prose.matchAll(AVOIDED)]
    .map(([word]) => word.toLowerCase())
    .filter(word => !(word === 'refused' && REFUSALS.test(file)))
    .map(word => `${file}: ${word}`)

it('prose has no word that the style rules out', () => {
  const found = PAGES.flatMap(page =>
    avoidedIn(
      page,
      read(page)
        .replace(/^```.*?^```/gms, '')
        .replace(/`[^`]*`/g, ''),
    ),
  )
  expect(found).toEqual([])
})

it('comments, log lines, errors and command output have none either', () => {
  const own = 'test/unit/docs/words.test.ts'
  const files = filesOf('*.ts', '*.tsx', '*.js').filter(file => file !== own)
  expect(files.length).toBeGreaterThan(1_000)
  const found = files.flatMap(file =>
    proseOf(file, read(file)).flatMap(line => avoidedIn(file, line).map(fault => `${fault} in ${line.trim()}`)),
  )
  expect(found).toEqual([])
})

it.each([
  ['  // It is refused.', 'refused'],
  ['const a = 1 // whoever asks', 'whoever'],
  [' * It can not be `nobody`.', 'can not'],
  ['throw new Error("it is refused: why")', 'refused'],
  ['print(`usage:\n  --force  it is refused\n`)', 'refused'],
  ["const code = 'refused'", undefined],
  ['const refused = 1', undefined],
])('prose in code is read: %s', (line, word) => {
  expect(avoidedIn('a.ts', proseOf('a.ts', line).join('\n'))).toEqual(word ? [`a.ts: ${word}`] : [])
})

it('examples that send the admin token come after the line that sets it', () => {
  const using = PAGES.filter(page => read(page).includes('Bearer $ADMIN_TOKEN"'))
  expect(using.length).toBeGreaterThan(5)
  const unset = PAGES.filter(page => {
    const blocks = [...read(page).matchAll(/^```sh\n(.*?)^```/gms)].map(([, code]) => code).join('\n')
    const first = blocks.indexOf('$ADMIN_TOKEN')
    return first !== -1 && !blocks.slice(0, first).includes('export ADMIN_TOKEN=$(cat .data/admin-token)')
  })
  expect(unset).toEqual([])
})
