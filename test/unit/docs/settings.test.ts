import { PROGRAMS, SETTINGS, type Setting, SUBJECTS } from '@slotstream/runtime'
import { expect, it } from 'vitest'

// A stale page is written anew by `npx vitest run --project unit test/unit/docs/settings.test.ts -u`.
it('of docs/settings.md is the one that the table of settings yields', async () => {
  const page = [INTRODUCTION, programs(), ...SUBJECTS.map(section), ''].join('\n\n').trimEnd()
  await expect(`${page}\n`).toMatchFileSnapshot('../../../docs/settings.md')
})

const INTRODUCTION = `# Settings

Every environment variable that a program of this project reads. An empty one is as good as none. A value that is not of
the kind or not within the bounds is rejected: the program ends and says
\`NAME is "…": it must be a whole number from A to B\`. A variable that looks like a misspelt setting is named in a warning
at the start. \`npm start\` passes its environment on to the programs that it runs, apart from secrets that they don't need.

A *secret* is read from the file that \`NAME_FILE\` names, else from the variable: \`ADMIN_TOKEN_FILE=/etc/slotstream/token\`.

1 KB is 1,024 bytes, 1 MB 1,024 KB; a GB of \`STREAM_MAX_GB\` is 1,000,000,000 bytes.`

function programs(): string {
  const rows = Object.entries(PROGRAMS).map(([program, command]) => {
    const subjects = SUBJECTS.filter(({ settings }) =>
      Object.values(settings).some(({ programs }) => (programs as readonly string[]).includes(program)),
    )
    return `| ${program} | ${command} | ${subjects.map(({ title }) => `[${title}](#${anchor(title)})`).join(', ')} |`
  })
  return ['| read by | program | settings |', '|---|---|---|', ...rows].join('\n')
}

function section({ title, settings }: (typeof SUBJECTS)[number]): string {
  const rows = Object.entries(settings).map(
    ([name, setting]) =>
      `| \`${name}\`${setting.kind === 'secret' ? ' (secret)' : ''} | ${defaultOf(setting)} | ${boundsOf(setting)} | ${setting.meaning} | ${setting.beyond ?? ''} | ${setting.programs.join(', ')} |`,
  )
  return [
    `## ${title}`,
    '',
    '| setting | default | bounds | meaning | beyond the limit | read by |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function defaultOf(setting: Setting): string {
  if (setting.otherwise !== undefined) return setting.otherwise
  if (setting.kind === 'secret' || setting.default === '' || setting.default === undefined) return 'none'
  const values = [written(setting, setting.default)]
  for (const [program, { default: other }] of Object.entries(setting.in ?? {}) as [
    keyof typeof PROGRAMS,
    { default?: string | number },
  ][])
    if (other) values.push(`${program}: ${written(setting, other)}`)
  return values.join('; ')
}

/** Port numbers, and whatever else has no unit, are written as they are typed. */
function written(setting: Setting, value: string | number): string {
  if (setting.kind !== 'number') return `\`${value}\``
  return setting.unit === '' ? String(value) : `${grouped(value as number)} ${setting.unit}`
}

function boundsOf(setting: Setting): string {
  if (setting.kind !== 'number') return ''
  const { min = 0, max, unit } = setting
  const number = unit === '' ? String : grouped
  return max === undefined ? `from ${number(min)}` : `${number(min)} to ${number(max)}`
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')
}

it('has no value twice: a name is in one subject', () => {
  const names = SUBJECTS.flatMap(({ settings }) => Object.keys(settings))
  expect(names.toSorted()).toEqual(Object.keys(SETTINGS).toSorted())
})
