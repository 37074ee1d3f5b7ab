import { readFileSync } from 'node:fs'
import {
  ARM_FIELDS,
  type CatalogFields,
  EXPERIMENT_FIELDS,
  GUARDRAIL_FIELDS,
  MAX_EXPERIMENT_BYTES,
  MAX_EXPERIMENTS,
  STOP_FIELDS,
  TOURNAMENT_FIELDS,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const page = readFileSync(new URL('../../../docs/experiments.md', import.meta.url), 'utf8')

function fieldTable(fields: CatalogFields): string {
  const rows = Object.entries(fields).map(
    ([name, { form, meaning, isRequired, ...field }]) =>
      `| \`${name}\` | ${form} | ${isRequired ? 'required' : (field.default ?? '')} | ${meaning} |`,
  )
  return ['| field | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

describe('the documentation of experiments', () => {
  // What is missing there is shown as it must be, to be copied.
  it.each([
    ['experiments', fieldTable(EXPERIMENT_FIELDS)],
    ['arms', fieldTable(ARM_FIELDS)],
    ['metrics and guardrails', fieldTable(GUARDRAIL_FIELDS)],
    ['rules to stop', fieldTable(STOP_FIELDS)],
    ['tournaments', fieldTable(TOURNAMENT_FIELDS)],
  ])('has the table of %s as the check has it', (_name, table) => {
    expect(page).toContain(`\n${table}\n`)
  })

  it('names the limits', () => {
    expect(page).toContain(
      `at most ${MAX_EXPERIMENTS} experiments, a set at most ${MAX_EXPERIMENT_BYTES / 1024} KB as JSON`,
    )
  })
})
