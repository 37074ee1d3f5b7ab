import { type Content, type ExperimentSet, NO_EXPERIMENTS, type Slot } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { putExperiments } from '#collector/admin/experiments/put-experiments.js'

const SITE = 'shop'
const SLOT: Slot = { id: 'hero', count: 1, holdout: 0 }
const content = (id: string): Content => ({ id, slots: ['hero'], category: 'c', payload: {} })
const experiment = (id: string, ...contentIds: string[]) => ({
  id,
  slot: 'hero',
  group: 'hero',
  metrics: ['Slot Clicked'],
  arms: [
    { id: 'control', share: 0.5 },
    { id: 'new', share: 0.5, ...(contentIds.length > 0 && { contentIds }) },
  ],
})

/** Returns the routes' way to a set that is stored, beside a catalog whose content can leave. */
function someSite(ids: string[]) {
  let stored: ExperimentSet = NO_EXPERIMENTS
  let contents = ids
  const parts = {
    catalog: {
      read: async () => ({ revision: 1, slots: [SLOT], content: contents.map(content) }),
      confirm: async () => true,
    },
    experimentStore: {
      read: async () => stored,
      async write(_siteId: string, experiments: ExperimentSet['experiments']) {
        stored = { ...stored, revision: stored.revision + 1, experiments }
        return stored.revision
      },
    },
  }
  return {
    put: (...experiments: object[]) => putExperiments(parts as never, SITE, experiments),
    leave: (id: string) => {
      contents = contents.filter(each => each !== id)
    },
  }
}

it('an experiment that runs unchanged may name content that left its slot', async () => {
  const { put, leave } = someSite(['x', 'y'])
  await put(experiment('first', 'x'))
  leave('x')
  const { experiments } = await put(
    { ...experiment('first', 'x'), metrics: ['Order Completed'] },
    experiment('second', 'y'),
  )
  expect(experiments.map(({ id }) => id)).toEqual(['first', 'second'])
})

it('one that is new, changed or begun again may not', async () => {
  const { put, leave } = someSite(['x', 'y'])
  await put(experiment('first', 'y'), experiment('ended', 'x'))
  leave('x')
  const ended = { ...experiment('ended', 'x'), stopped: { at: '2026-01-01T00:00:00Z', reason: 'asked' } }
  const trouble = { message: expect.stringContaining('slot hero has no content x') }
  await expect(put(experiment('first', 'y', 'x'), ended)).rejects.toMatchObject(trouble)
  await expect(put(experiment('first', 'y'), ended, experiment('second', 'x'))).rejects.toMatchObject(trouble)
  await put(experiment('first', 'y'), ended)
  await expect(put(experiment('first', 'y'), { ...ended, stopped: null })).rejects.toMatchObject(trouble)
})
