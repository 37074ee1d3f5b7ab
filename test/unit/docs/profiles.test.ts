import { readFileSync } from 'node:fs'
import { definitionFaults } from '@slotstream/core'
import {
  AGGREGATE_RULES,
  checkDefinitionForm,
  DEFINITION_KINDS,
  DERIVED_PATHS,
  type Definitions,
  FEATURE_FIELDS,
  MAX_DEFINITION_BYTES,
  MAX_DEFINITIONS,
  MAX_EVENT_WEIGHT,
  MAX_SOURCE_EVENTS,
  SEGMENT_FIELDS,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { MAX_SET_EXPRESSIONS } from '#core/definitions/check-definitions.js'

const page = readFileSync(new URL('../../../docs/profiles.md', import.meta.url), 'utf8')

interface Field {
  form: string
  meaning: string
  default?: string
  isRequired?: true
}

function fieldTable(fields: Record<string, Field>): string {
  const rows = Object.entries(fields).map(
    ([name, { form, meaning, isRequired, ...field }]) =>
      `| \`${name}\` | ${form} | ${isRequired ? 'required' : (field.default ?? '')} | ${meaning} |`,
  )
  return ['| field | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function aggregateTable(): string {
  const rows = Object.entries(AGGREGATE_RULES).map(
    ([name, { meaning, value, isWeighted }]) =>
      `| \`${name}\` | ${meaning} | ${{ needed: 'needed', may: 'or 1', none: '' }[value]} | ${isWeighted ? 'yes' : ''} |`,
  )
  return ['| aggregate | yields | `value` | weights, `halfLife` |', '|---|---|---|---|', ...rows].join('\n')
}

function pathTable(): string {
  const rows = Object.entries(DERIVED_PATHS).map(([path, meaning]) => `| \`${path}\` | ${meaning} |`)
  return ['| path | value |', '|---|---|', ...rows].join('\n')
}

describe('the documentation of profiles', () => {
  // What is missing there is shown as it must be, to be copied.
  it.each([
    ['features', fieldTable(FEATURE_FIELDS)],
    ['derived paths', pathTable()],
    ['aggregates', aggregateTable()],
    ['segments', fieldTable(SEGMENT_FIELDS)],
  ])('has the table of %s as the check has it', (_name, table) => {
    expect(page).toContain(`\n${table}\n`)
  })

  it('names the limits', () => {
    const count = (value: number) => value.toLocaleString('en-US')
    for (const kind of DEFINITION_KINDS) expect(page).toContain(`${MAX_DEFINITIONS[kind]} ${kind}`)
    expect(page).toContain(`${MAX_DEFINITION_BYTES / 1024} KB`)
    expect(page).toContain(`up to ${MAX_SOURCE_EVENTS} events`)
    expect(page).toContain(`up to ${count(MAX_EVENT_WEIGHT)}`)
    expect(page).toContain(`${MAX_SET_EXPRESSIONS} regular expressions`)
  })

  it('shows definitions that can be stored', () => {
    const shown = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text!) as object)
    const sets = shown.flatMap(body => DEFINITION_KINDS.filter(kind => kind in body).map(kind => [kind, body] as const))
    expect(sets.map(([kind]) => kind)).toEqual(DEFINITION_KINDS)
    const definitions = Object.assign({}, ...shown) as Definitions
    for (const kind of DEFINITION_KINDS) {
      expect(checkDefinitionForm(kind, definitions[kind])).toMatchObject({ ok: true })
      expect(definitionFaults(kind, definitions)).toEqual([])
    }
  })
})
