import { readFileSync } from 'node:fs'
import {
  contentConditionFaults,
  createRunDecisionTest,
  MAX_CATALOG_EXPRESSIONS,
  slotConditionFaults,
} from '@slotstream/core'
import {
  CAMPAIGN_FIELDS,
  CAP_FIELDS,
  type CatalogField,
  type CatalogFields,
  CONTENT_FIELDS,
  checkDecisionTests,
  DECISION_TEST_FIELDS,
  EXPECT_FIELDS,
  EXPLORATION_FIELDS,
  MAX_CATALOG_CONTENT,
  MAX_CATALOG_ITEM_BYTES,
  MAX_CATALOG_SLOTS,
  MAX_PAYLOAD_BYTES,
  POLICY_FIELDS,
  POLICY_TYPES,
  REWARD_FIELDS,
  SLOT_FIELDS,
  strictContent,
  strictSlot,
  TESTED_PERSON_FIELDS,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const page = readFileSync(new URL('../../../docs/catalog.md', import.meta.url), 'utf8')

function fieldTable(fields: CatalogFields): string {
  const rows = Object.entries(fields).map(
    ([name, { form, meaning, isRequired, ...field }]) =>
      `| \`${name}\` | ${form} | ${isRequired ? 'required' : (field.default ?? '')} | ${meaning} |`,
  )
  return ['| field | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function policyTable(): string {
  const described = ([name, field]: [string, CatalogField]) =>
    `\`${name}\`: ${field.form}${field.default === undefined ? '' : ` (default ${field.default})`}`
  const rows = POLICY_TYPES.map(
    type => `| \`${type}\` | ${Object.entries(POLICY_FIELDS[type]).map(described).join('; ') || 'none'} |`,
  )
  return ['| `policy.type` | its fields |', '|---|---|', ...rows].join('\n')
}

describe('the documentation of the catalog', () => {
  // What is missing there is shown as it must be, to be copied.
  it.each([
    ['slots', fieldTable(SLOT_FIELDS)],
    ['policies', policyTable()],
    ['rewards', fieldTable(REWARD_FIELDS)],
    ['exploration', fieldTable(EXPLORATION_FIELDS)],
    ['campaigns', fieldTable(CAMPAIGN_FIELDS)],
    ['content', fieldTable(CONTENT_FIELDS)],
    ['caps', fieldTable(CAP_FIELDS)],
    ['decision tests', fieldTable(DECISION_TEST_FIELDS)],
    ['what they expect', fieldTable(EXPECT_FIELDS)],
    ['their persons', fieldTable(TESTED_PERSON_FIELDS)],
  ])('has the table of %s as the check has it', (_name, table) => {
    expect(page).toContain(`\n${table}\n`)
  })

  it('names the limits', () => {
    const count = (value: number) => value.toLocaleString('en-US')
    expect(page).toContain(`${count(MAX_CATALOG_SLOTS)} slots and ${count(MAX_CATALOG_CONTENT)} contents`)
    expect(page).toContain(`${MAX_CATALOG_EXPRESSIONS} regular expressions`)
    expect(page).toContain(`up to ${MAX_CATALOG_ITEM_BYTES / 1024} KB of JSON`)
    expect(page).toContain(`up to ${MAX_PAYLOAD_BYTES / 1024} KB each`)
  })

  it('shows slots, content and tests that can be stored, and that pass', () => {
    const shown = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text!) as object)
    const all = (list: string) => shown.flatMap(body => ((body as Record<string, object[]>)[list] ?? []) as object[])
    const [slots, content, tests] = [all('slots'), all('content'), all('tests')]
    const checkedSlots = slots.map(strictSlot)
    const checkedContent = content.map(item => strictContent(item, new Set(['hero'])))
    const checkedTests = checkDecisionTests(tests)
    for (const checked of [...checkedSlots, ...checkedContent, checkedTests])
      expect(checked).toMatchObject({ ok: true })
    const taken = {
      slots: checkedSlots.flatMap(checked => (checked.ok ? [checked.value] : [])),
      content: checkedContent.flatMap(checked => (checked.ok ? [checked.value] : [])),
    }
    expect(taken.slots.flatMap(slot => slotConditionFaults(slot))).toEqual([])
    expect(taken.content.flatMap(item => contentConditionFaults(item))).toEqual([])
    const run = createRunDecisionTest(taken, 'demo', Date.now())
    expect((checkedTests.ok ? checkedTests.value : []).flatMap(run)).toEqual([])
  })
})
