import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PAGES = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n')
  // The words to avoid are listed in docs/style.md. What was written about earlier versions stays as it was.
  .filter(page => page !== 'docs/style.md' && page !== 'CHANGELOG.md')

const read = (page: string) => readFileSync(join(ROOT, page), 'utf8')

/** Words that docs/style.md rules out, in prose that is read outside of code. */
const AVOIDED = /\b(whoever|somebody|nobody|anybody|can not|heeded|refused|dies|says goodbye)\b/gi

/** Pages on which an answer of `evaluate` has the field and the word `refused`. */
const REFUSALS = ['docs/evaluation.md']

it('prose has no word that the style rules out', () => {
  const found = PAGES.flatMap(page =>
    [
      ...read(page)
        .replace(/^```.*?^```/gms, '')
        .replace(/`[^`]*`/g, '')
        .matchAll(AVOIDED),
    ]
      .map(([word]) => word.toLowerCase())
      .filter(word => !(word === 'refused' && REFUSALS.includes(page)))
      .map(word => `${page}: ${word}`),
  )
  expect(found).toEqual([])
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
