import { readFileSync } from 'node:fs'
import { checkExperiments, strictContent, strictSlot } from '@slotstream/protocol'
import { expect, it } from 'vitest'

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const demo = JSON.parse(readFileSync(new URL('../../../examples/demo/catalog.json', import.meta.url), 'utf8')) as {
  slots: { id: string }[]
  content: { id: string }[]
}

it('the quick start puts a catalog that is taken as it is', () => {
  const [, body = ''] = /sites\/demo\/catalog \\\n.*-d '(\{.*?\n\})'/s.exec(page('quickstart.md')) ?? []
  const { slots, content } = JSON.parse(body) as { slots: { id: string }[]; content: { slots: string[] }[] }
  const ids = new Set(slots.map(({ id }) => id))
  for (const checked of [...slots.map(strictSlot), ...content.map(item => strictContent(item, ids))])
    expect(checked).toMatchObject({ ok: true })
  // Its slots stand beside those of the demo shop.
  expect(demo.slots.filter(({ id }) => ids.has(id))).toEqual([])

  const [, rewards = ''] = /`"rewards": (\[.*?\])`/.exec(page('quickstart.md')) ?? []
  expect(strictSlot({ id: 'banner', rewards: JSON.parse(rewards) })).toMatchObject({ ok: true })
})

it('the experiments that are shown are taken, for slots and content that the demo shop has', () => {
  const bodies = [...page('experiments.md').matchAll(/^```json\n(.*?)^```/gms)].map(([, text = '']) => JSON.parse(text))
  expect(bodies).toHaveLength(2)
  for (const { experiments } of bodies as { experiments: { slot: string; arms: { contentIds?: string[] }[] }[] }[]) {
    expect(checkExperiments(experiments)).toMatchObject({ ok: true })
    expect(demo.slots.map(({ id }) => id)).toEqual(expect.arrayContaining(experiments.map(({ slot }) => slot)))
    const listed = experiments.flatMap(({ arms }) => arms.flatMap(({ contentIds = [] }) => contentIds))
    expect(demo.content.map(({ id }) => id)).toEqual(expect.arrayContaining(listed))
  }
})
