import { expect, it } from 'vitest'
import type { Account } from '#clickhouse/access/accounts.js'
import { DEFAULT_ANALYST_LIMITS } from '#clickhouse/access/settings/limits.js'
import { createAdmission } from '#clickhouse/engine/queue/admission.js'

const never = new AbortController().signal

function account(name: string, max_concurrent_queries = 10): Account {
  return { name, role: 'analyst', databases: [], limits: { ...DEFAULT_ANALYST_LIMITS, max_concurrent_queries } }
}

/** Enters queries and notes by name which of them run. */
function watch(admission: ReturnType<typeof createAdmission>) {
  const running = new Map<string, () => void>()
  return {
    enter(name: string, who: Account, memory: number, signal = never) {
      const entered = admission.enter({ account: who, memory }, signal).then(leave => running.set(name, leave))
      return entered
    },
    leave: (name: string) => {
      running.get(name)?.()
      running.delete(name)
    },
    async running() {
      await new Promise(resolve => setImmediate(resolve))
      return [...running.keys()].sort().join()
    },
  }
}

it('queries run while there are places and memory, in order of arrival', async () => {
  const { enter, leave, running } = watch(createAdmission(3, 100, 10))
  void enter('a', account('ada'), 60)
  void enter('b', account('bea'), 30)
  void enter('c', account('cat'), 40)
  // Small enough, but a big one would wait for as long as small ones come.
  void enter('d', account('dan'), 5)
  expect(await running()).toBe('a,b')
  leave('a')
  expect(await running()).toBe('b,c,d')
  void enter('e', account('eve'), 1)
  expect(await running()).toBe('b,c,d')
  leave('d')
  leave('d')
  expect(await running()).toBe('b,c,e')
})

it('an account at its bound lets others pass, and never has all of the memory by many queries', async () => {
  const { enter, leave, running } = watch(createAdmission(10, 100, 10))
  const [ada, bea] = [account('ada', 2), account('bea')]
  for (const name of ['a1', 'a2', 'a3']) void enter(name, ada, 10)
  for (const name of ['b1', 'b2', 'b3']) void enter(name, bea, 30)
  expect(await running()).toBe('a1,a2,b1,b2')
  leave('a1')
  expect(await running()).toBe('a2,a3,b1,b2')
  leave('b1')
  expect(await running()).toBe('a2,a3,b2,b3')
})

it('what asks for more than there is runs alone, and gives all of it back', async () => {
  const { enter, leave, running } = watch(createAdmission(10, 100, 10))
  void enter('big', account('ada'), 1_000)
  void enter('small', account('bea'), 1)
  expect(await running()).toBe('big')
  leave('big')
  expect(await running()).toBe('small')
  void enter('most', account('cat'), 99)
  expect(await running()).toBe('most,small')
})

it('an account has half of the queue, and who leaves it makes room', async () => {
  const admission = createAdmission(1, 100, 4)
  const { enter, leave, running } = watch(admission)
  const leaving = new AbortController()
  await enter('a', account('ada'), 1)
  const waiting = enter('b', account('ada'), 1, leaving.signal).catch(error => error.message)
  void enter('c', account('ada'), 1)
  await expect(enter('d', account('ada'), 1)).rejects.toMatchObject({ code: 202 })
  void enter('e', account('bea'), 1)
  void enter('f', account('cat'), 1)
  await expect(enter('g', account('dan'), 1)).rejects.toMatchObject({ code: 202 })
  leaving.abort(new Error('left'))
  expect(await waiting).toBe('left')
  leave('a')
  expect(await running()).toBe('c')
  leave('c')
  expect(await running()).toBe('e')
})
