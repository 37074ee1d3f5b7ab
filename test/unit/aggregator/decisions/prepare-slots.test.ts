import { expect, it } from 'vitest'
import { createPreparer } from '#aggregator/decisions/slots/prepare-slots.js'

function start() {
  const compiled: string[] = []
  const preparer = createPreparer(function* (slotId) {
    for (let step = 0; step < 10; step++) {
      yield
      takeTime()
    }
    compiled.push(slotId)
  })
  return { preparer, compiled }
}

/** Takes longer than a slot's share of a turn. */
function takeTime() {
  const until = performance.now() + 3
  while (performance.now() < until);
}

it('compiles a slot once for all requests that wait for it, also those that come while it is being compiled', async () => {
  const { preparer, compiled } = start()
  const first = preparer.prepare('hero')
  await new Promise(setImmediate)
  await Promise.all([first, preparer.prepare('hero'), preparer.prepare('list')])
  expect(compiled).toEqual(['hero', 'list'])
  expect(preparer.isBusy()).toBe(false)
})

it('compiles a slot again that changes while it is being compiled', async () => {
  const { preparer, compiled } = start()
  const first = preparer.prepare('hero')
  preparer.prepareSoon('hero')
  await first
  await expect.poll(() => compiled.length).toBe(2)
  expect(preparer.isBusy('hero')).toBe(false)
})

it('resolves for a slot that cannot be compiled, and goes on with the others', async () => {
  const preparer = createPreparer(function* (slotId) {
    yield
    if (slotId === 'broken') throw new Error('broken')
  })
  await Promise.all([preparer.prepare('broken'), preparer.prepare('hero')])
  expect(preparer.isBusy()).toBe(false)
})
