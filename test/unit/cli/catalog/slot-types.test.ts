import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { generateSlotTypes } from '#cli/catalog/generate-slot-types.js'
import { parseArguments } from '#cli/catalog/parse-arguments.js'
import { runCommand } from '#cli/catalog/run-command.js'
import { writeSlotTypes } from '#cli/catalog/write-slot-types.js'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

const HERO = {
  type: 'object',
  description: 'What is on top of the home page; ends */ here',
  properties: { title: { type: 'string' }, image: { $ref: '#/$defs/image' } },
  required: ['title'],
  $defs: { image: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] } },
}

it('slots of the catalog type what pages ask for', async () => {
  // Below node_modules, so that `slotstream` resolves as it does where it is installed.
  const project = join(ROOT, 'node_modules', '.cache', 'slot-types')
  rmSync(project, { recursive: true, force: true })
  mkdirSync(project, { recursive: true })
  const slots = [
    { id: 'hero', schema: HERO },
    { id: 'for-you' },
    { id: 'said "*/" & 100%', schema: { ...HERO, $id: 'x' } },
  ]
  writeFileSync(join(project, 'slots.ts'), await generateSlotTypes(slots))
  writeFileSync(
    join(project, 'page.tsx'),
    `import './slots.js'
import { personalize } from 'slotstream'
import { Slot, useSlot } from 'slotstream/react'

export async function page(id: string) {
  const [item] = (await personalize('hero', { count: 2, fallback: [{ title: 'Ours' }] })).items
  const title: string | undefined = item?.payload.title
  const url: string | undefined = item?.payload.image?.url
  // @ts-expect-error the schema has no such field
  item?.payload.headline
  // @ts-expect-error the page's own content must be what the slot shows
  personalize('hero', { fallback: [{ titel: 'Ours' }] })
  // @ts-expect-error the catalog has no such slot
  personalize('hreo')
  const any: unknown = (await personalize('for-you')).items[0]?.payload.anything
  const odd: string | undefined = (await personalize('said "*/" & 100%')).items[0]?.payload.title
  // The call says it better, or the id is known only now.
  const own: number | undefined = (await personalize<{ size: number }>('of another catalog')).items[0]?.payload.size
  const found: unknown = (await personalize(id)).items[0]?.payload.title
  return [title, url, any, odd, own, found]
}

export const Page = () => {
  const { items } = useSlot('hero', { count: 1 })
  const title: string | undefined = items[0]?.payload.title
  // @ts-expect-error the schema has no such field
  items[0]?.payload.headline
  // @ts-expect-error the catalog has no such slot
  useSlot('hreo')
  return (
    <>
      <Slot id="hero" fallback={title}>{({ payload }) => payload.title.toUpperCase()}</Slot>
      {/* @ts-expect-error the schema has no such field */}
      <Slot id="hero">{({ payload }) => payload.headline}</Slot>
      {/* @ts-expect-error the catalog has no such slot */}
      <Slot id="hreo">{({ contentId }) => contentId}</Slot>
      <Slot<{ size: number }> id="of another catalog">{({ payload }) => payload.size.toFixed()}</Slot>
    </>
  )
}
`,
  )
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'ESNext',
    moduleResolution: 'Bundler',
    target: 'ES2022',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    types: [],
    jsx: 'react-jsx',
    skipLibCheck: true,
    customConditions: ['@slotstream/source'],
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts', '*.tsx'] }))
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const said = await promisify(execFile)(process.execPath, [tsc, '-p', project]).catch(error => error)
  rmSync(project, { recursive: true, force: true })
  expect(said.stdout).toBe('')
}, 60_000)

it('are those of a folder of a catalog', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slotstream-types-'))
  await writeFile(join(folder, 'slots.json'), JSON.stringify([{ id: 'hero', schema: HERO }]))
  const said: string[] = []
  await runCommand(parseArguments(['types', folder], {}), {}, line => said.push(line))
  expect(`${said.join('\n')}\n`).toBe(await generateSlotTypes([{ id: 'hero', schema: HERO }]))
  expect(parseArguments(['types', '--out', 'slots.ts'], {})).toEqual({
    do: 'types',
    folder: 'catalog',
    out: 'slots.ts',
  })
  await rm(folder, { recursive: true, force: true })
})

it('come out the same, whatever the order of the slots', async () => {
  const [a, b] = [{ id: 'a', schema: HERO }, { id: 'b' }]
  expect(await generateSlotTypes([b, a])).toBe(await generateSlotTypes([a, b]))
})

it('are written to a file or printed, and refused for a catalog without slots', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slotstream-types-'))
  const [file, said]: [string, string[]] = [join(folder, 'slots.ts'), []]
  await writeSlotTypes([{ id: 'hero', schema: HERO }], file, line => said.push(line))
  await writeSlotTypes([{ id: 'hero', schema: HERO }], undefined, line => said.push(line))
  expect(said[0]).toBe(`wrote ${file}`)
  expect(await readFile(file, 'utf8')).toBe(`${said[1]}\n`)
  expect(said[1]).toContain('interface Slots extends CatalogSlots {}')
  await rm(folder, { recursive: true, force: true })
  await expect(generateSlotTypes([])).rejects.toThrow('there is no slot in the catalog')
})
