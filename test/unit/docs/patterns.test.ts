import { readFileSync } from 'node:fs'
import {
  ABSENCE_FIELDS,
  COMMON_FIELDS,
  type DefinitionField,
  KIND_FIELDS,
  PATTERN_KINDS,
  type PatternDefinition,
  type PatternKind,
  STEP_FIELDS,
} from '@slotstream/protocol'
import { expect, it } from 'vitest'
import * as bounds from '#core/patterns/bounds.js'
import { BUILTIN_PATTERNS } from '#core/patterns/builtin.js'
import { compilePatterns } from '#core/patterns/compile.js'
import { BUILTIN_CASES } from '../core/patterns/builtin-cases.js'
import { CASES, type PatternCase } from '../core/patterns/cases.js'

// A stale page is written anew by `npx vitest run --project unit test/unit/docs/patterns.test.ts -u`.
it('of docs/patterns.md is the one that the checks and the cases of the tests yield', async () => {
  const parts = [
    INTRODUCTION,
    '## Fields',
    'All patterns have:',
    table(COMMON_FIELDS),
    ...PATTERN_KINDS.flatMap(kind => [`### ${TITLES[kind]}`, table(KIND_FIELDS[kind])]),
    '### Steps',
    'A step of a sequence is a message:',
    table(STEP_FIELDS),
    'or an absence:',
    table(ABSENCE_FIELDS),
    '## Cases',
    CASES_INTRODUCTION,
    ...CASES.flatMap(({ title, pattern, cases }) => [`### ${title}`, json(pattern), caseTable(cases)]),
    '## Built-in patterns',
    ...BUILTIN_PATTERNS.flatMap((pattern, index) => [
      `### ${pattern.name}`,
      `${pattern.description}.`,
      json({ ...pattern, description: undefined }),
      caseTable(BUILTIN_CASES[index]!.cases),
    ]),
  ]
  await expect(`${parts.join('\n\n')}\n`).toMatchFileSnapshot('../../../docs/patterns.md')
})

const signals = readFileSync(new URL('../../../docs/signals.md', import.meta.url), 'utf8')

it('of docs/signals.md has recipes that can be used', () => {
  const blocks = [...signals.matchAll(/^```json\n(.*?)^```/gms)].map(([, text = '']) => JSON.parse(text).patterns)
  const patterns = blocks.flat() as PatternDefinition[]
  expect(patterns.length).toBeGreaterThan(7)
  expect(compilePatterns(patterns)).toMatchObject({ ok: true })
})

it('of docs/signals.md names the built-in patterns and the limits as they are', () => {
  for (const { name } of BUILTIN_PATTERNS) expect(signals).toContain(`| \`${name}\` |`)
  const text = signals.replaceAll(/\s+/g, ' ')
  expect(text).toContain(
    `at most ${bounds.MAX_RUNS} sequences that have begun, ${bounds.MAX_WINDOWS} keys with ${bounds.MAX_WINDOW_MESSAGES} messages to count, ${bounds.MAX_PENDING} messages`,
  )
  expect(text).toContain(`more than ${bounds.MAX_KEPT_BYTES - 2} characters`)
  expect(text).toContain(`at most ${bounds.MAX_KEYS_OF_MESSAGE} keys`)
  expect(text).toContain(
    `the ${bounds.MAX_TOLD} latest signals of a pattern of the last ${bounds.TOLD_MS / 86_400_000} days`,
  )
  expect(text).toContain(
    `the ${bounds.MAX_REFUTERS} latest messages of its steps of the last ${bounds.REFUTERS_MS / 3_600_000} hours`,
  )
})

const INTRODUCTION = `# Patterns

Fields of [patterns](signals.md#patterns), and what is found in which messages.

A pattern says what it looks for by one of the fields ${PATTERN_KINDS.map(kind => `\`${kind}\``).join(', ')}.`

const CASES_INTRODUCTION = `Times are those of the messages, which are in the order of arrival; #1 is the first one. \`(clock)\` is a time at which no
message arrives. A signal has a time, the message that completed it or began the absence, and the key.`

const TITLES: Record<PatternKind, string> = {
  sequence: 'Sequence: messages one after the other, and messages that stay away',
  count: 'Count: so many messages',
  sum: 'Sum: values that add up to so much',
  after: 'Return: the first message after a long time',
  changed: 'Change: another value than before',
}

function table(fields: Record<string, DefinitionField>): string {
  const rows = Object.entries(fields).map(
    ([name, { form, meaning, isRequired, ...field }]) =>
      `| \`${name}\` | ${form} | ${isRequired ? 'required' : (field.default ?? '')} | ${meaning} |`,
  )
  return ['| field | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function caseTable(cases: readonly PatternCase[]): string {
  const rows = cases.map(
    ({ shows, messages, found }) =>
      `| ${shows} | ${messages.map((text, index) => `#${index + 1} \`${text}\``).join('<br>')} | ${found.join('<br>') || 'nothing'} |`,
  )
  return ['| case | messages | found |', '|---|---|---|', ...rows].join('\n')
}

function json(pattern: object): string {
  return ['```json', JSON.stringify(pattern, null, 2), '```'].join('\n')
}
