import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'
// @ts-expect-error a script of the build
import { INTERNAL_NAMES } from '../../../sdk/build/internal-names.js'

/**
 * Names that browsers have as well, but not on anything the SDK uses: `wait` is of `Atomics`, `kind` of media tracks …
 */
const NOT_USED_BY_THE_SDK = 'drop kind log paused persist resume sender storage store transport wait'.split(' ')

const typescript = fileURLToPath(new URL('../../../node_modules/@typescript/', import.meta.url))
const declarations = readdirSync(typescript)
  .filter(name => name.startsWith('typescript-'))
  .flatMap(name => {
    const folder = join(typescript, name, 'lib')
    return readdirSync(folder)
      .filter(file => /^lib\.(dom|es).*\.d\.ts$/.test(file))
      .map(file => readFileSync(join(folder, file), 'utf8'))
  })

it('shortens no name that the SDK reads from a browser: the build would make it undefined', () => {
  expect(declarations.length).toBeGreaterThan(10)
  const known = (INTERNAL_NAMES as string[]).filter(name => {
    const declared = new RegExp(`^\\s+(readonly )?${name}\\??[:(]`, 'm')
    return declarations.some(text => declared.test(text))
  })
  expect(known.toSorted()).toEqual(NOT_USED_BY_THE_SDK)
})

it('shortens no name that pages write or read: functions, options, fields of messages and decisions', () => {
  const source = (file: string) => readFileSync(new URL(`../../../sdk/${file}`, import.meta.url), 'utf8')
  const [options, types] = ['client/options.ts', 'types.ts'].map(source)
  const fields = [...`${options}${types}`.matchAll(/^ {2,4}(\w+)\??: /gm)].map(([, name]) => name)
  const names = new Set([...Object.keys(slotstream), ...fields])
  expect(names).toContain('refresh')
  expect(names).toContain('floodLimit')
  expect(names).toContain('messageId')
  expect((INTERNAL_NAMES as string[]).filter(name => names.has(name))).toEqual([])
})
