import { type Content, type ExperimentSet, NO_EXPERIMENTS, type Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
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
  let meanwhile: (() => Promise<unknown>) | undefined
  let revision = 1
  const parts = {
    catalog: {
      read: async () => ({ revision, slots: [SLOT], content: contents.map(content) }),
      confirm: async (_siteId: string, read: number) => read === revision,
    },
    experimentStore: {
      read: async () => stored,
      async write(_siteId: string, experiments: ExperimentSet['experiments'], after: number) {
        if (after !== stored.revision) return undefined
        stored = { ...stored, revision: after + 1, experiments }
        const work = meanwhile
        meanwhile = undefined
        await work?.()
        return after + 1
      },
    },
  }
  const put = (...experiments: object[]) => putExperiments(parts as never, SITE, experiments)
  const leave = (id: string) => {
    contents = contents.filter(each => each !== id)
    revision++
  }
  return {
    put,
    leave,
    stored: () => stored,
    /** Puts experiments, and when they are stored some content leaves. */
    putRaced(id: string, work: () => Promise<unknown>, ...experiments: object[]) {
      meanwhile = async () => {
        await work()
        leave(id)
      }
      return put(...experiments)
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

describe('where what an experiment names is removed while it is put', () => {
  /** Puts experiments while `x` leaves the slot; `meanwhile` runs when they are stored, before they are taken back. */
  async function putWhileLeaving(meanwhile: (put: (...experiments: object[]) => Promise<unknown>) => Promise<unknown>) {
    const { put, putRaced, stored } = someSite(['x', 'y'])
    await put(experiment('first', 'y'))
    const trouble = { code: 'conflict', message: expect.stringContaining('slot hero has no content x') }
    await expect(
      putRaced('x', () => meanwhile(put), experiment('first', 'y'), experiment('second', 'x')),
    ).rejects.toMatchObject(trouble)
    return stored().experiments
  }

  it('takes it back', async () => {
    const left = await putWhileLeaving(async () => {})
    expect(left).toMatchObject([{ id: 'first' }])
  })

  it('takes it out of a set that was put meanwhile, of which the rest stays', async () => {
    const left = await putWhileLeaving(put =>
      put(experiment('third', 'y'), { ...experiment('second', 'x'), metrics: ['Order Completed'] }),
    )
    expect(left).toMatchObject([{ id: 'third' }])
  })

  it('leaves a set that was put meanwhile and no longer runs it', async () => {
    const ended = { ...experiment('second', 'x'), stopped: { at: '2026-01-01T00:00:00Z', reason: 'asked' } }
    expect(await putWhileLeaving(put => put(ended, experiment('third', 'y')))).toMatchObject([ended, { id: 'third' }])
    expect(await putWhileLeaving(put => put(experiment('second', 'y')))).toMatchObject([experiment('second', 'y')])
  })
})
