import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileCondition } from '#core/conditions/compile-condition.js'
import * as limits from '#core/conditions/limits.js'
import { LOGICAL, OPERATORS } from '#core/conditions/operators/table.js'

const page = readFileSync(new URL('../../../docs/conditions.md', import.meta.url), 'utf8')

/** Rows of the tables whose header is this. */
const rowsOf = (header: string): string[][] =>
  page
    .split(`| ${header} |`)
    .slice(1)
    .flatMap(table => table.split('\n\n')[0]!.split('\n').slice(2))
    .map(line => line.split(' | ').map(cell => cell.replace(/^\| | \|$/g, '')))

/** JSON values in code spans. */
const valuesOf = (cell = ''): unknown[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, json]) => JSON.parse(json!))

const examples = ['value', 'operator'].flatMap(kind => rowsOf(`${kind} | matches | example | matches | does not match`))

describe('the page of conditions', () => {
  it('has a row for each operator', () => {
    const named = examples.map(([name = '']) => name).filter(name => name.startsWith('`$'))
    const real = [...Object.keys(OPERATORS), ...LOGICAL].map(name => `\`${name}\``)
    expect(named.toSorted()).toEqual(real.toSorted())
  })

  it.each(examples)('gives an example of %s (%s) that is right', (name, _, example, yes, no) => {
    const [condition] = valuesOf(example)
    if (name!.startsWith('`$')) expect(example).toContain(`"${name!.slice(1, -1)}"`)
    const compiled = compileCondition(condition, { groups: { beta: [1, 2, 3] } })
    if (!compiled.ok) throw new Error(compiled.reason)
    expect(valuesOf(yes).length).toBeGreaterThan(0)
    expect(valuesOf(no).length).toBeGreaterThan(0)
    expect(valuesOf(yes).filter(value => !compiled.value.matches(value))).toEqual([])
    expect(valuesOf(no).filter(value => compiled.value.matches(value))).toEqual([])
  })

  it('has the limits that hold', () => {
    const documented = rowsOf('limit | value').map(([, value = '']) => Number(value.replace(',', '')))
    const real = Object.entries(limits).filter(([name]) => name.startsWith('MAX_') && name !== 'MAX_MISS')
    const values = real.map(([, value]) => value as number)
    expect(documented.toSorted((a, b) => a - b)).toEqual(values.toSorted((a, b) => a - b))
    expect(page).toContain(`in at most ${limits.MAX_MISS} characters each`)
  })
})
