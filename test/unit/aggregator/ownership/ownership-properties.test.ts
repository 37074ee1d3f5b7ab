import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createOwnership, type Ownership } from '#aggregator/ownership/ownership.js'
import { type Fate, simulatedStore } from './simulated-store.js'

const RESOURCES = ['0', '1', '2', '3', '4']

interface Member {
  id: string
  name: string
  ownership: Ownership
  /** Told to gain, and not to release or lose since. */
  told: Set<string>
  beating: boolean
  balancing: boolean
}

/** Several processes on one store, in a world where time passes when the test says so. */
function world() {
  const { store, turn, waiting, step, watch, take, forget, keep } = simulatedStore()
  const members: Member[] = []
  let now = 0
  let made = 0

  return {
    members,
    keep,
    join(name: string) {
      const id = `m${String(++made).padStart(3, '0')}`
      const told = new Set<string>()
      const ownership = createOwnership({
        id,
        name,
        resources: RESOURCES,
        store,
        now: () => now,
        onGain: gained => {
          for (const resource of gained) {
            expect(told).not.toContain(resource)
            told.add(resource)
          }
        },
        onRelease: async resource => {
          expect(told).toContain(resource)
          told.delete(resource)
          await turn()
        },
        onLose: resource => told.delete(resource),
      })
      for (const change of watch(id)) ownership.observe(change)
      members.push({ id, name, ownership, told, beating: false, balancing: false })
    },
    beat(member: Member) {
      if (member.beating) return
      member.beating = true
      void member.ownership.beat().then(() => {
        member.beating = false
      })
    },
    balance(member: Member) {
      if (member.balancing) return
      member.balancing = true
      void member.ownership.rebalance().then(() => {
        member.balancing = false
      })
    },
    deliver(member: Member, count: number) {
      for (const change of take(member.id, count)) member.ownership.observe(change)
    },
    /** It does nothing more, and what it has begun may yet happen. */
    kill(member: Member) {
      forget(member.id)
      members.splice(members.indexOf(member), 1)
    },
    async step(index: number, fate: Fate) {
      if (waiting() > 0) step(index, fate)
      await settle()
    },
    /** Calls under way. */
    waiting,
    async finishCalls() {
      while (waiting() > 0) {
        step(0, 'done')
        await settle()
      }
    },
    pass(ms: number) {
      now += ms
    },
    /** Members who may act for a resource at this moment. */
    holders: (resource: string) => members.filter(({ ownership }) => ownership.holds(resource)),
  }
}

const settle = () => new Promise(resolve => setImmediate(resolve))

const member = fc.nat(3)
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('beat' as const), member }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('balance' as const), member }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), member, n: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 24,
    arbitrary: fc.record({
      do: fc.constant('step' as const),
      n: fc.nat(30),
      fate: fc.oneof(
        { weight: 12, arbitrary: fc.constant<Fate>('done') },
        { weight: 1, arbitrary: fc.constantFrom<Fate>('refused', 'unheard') },
      ),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pass' as const), n: fc.integer({ min: 1, max: 800 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), n: fc.integer({ min: 1, max: 70_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join' as const), n: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), member }) },
)

describe('ownership', () => {
  it('never lets two act for one resource, and shares all of them in the end, whatever is slow, lost or killed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 30, maxLength: 250, size: 'max' }), async actions => {
        const here = world()
        here.join('a')
        here.join('b')
        for (const next of actions) {
          const chosen = 'member' in next ? here.members[next.member % Math.max(1, here.members.length)] : undefined
          if (next.do === 'beat' && chosen) here.beat(chosen)
          else if (next.do === 'balance' && chosen) here.balance(chosen)
          else if (next.do === 'deliver' && chosen) here.deliver(chosen, next.n)
          else if (next.do === 'kill' && chosen) here.kill(chosen)
          else if (next.do === 'join' && here.members.length < 4) here.join('abcd'[next.n]!)
          else if (next.do === 'pass') here.pass(next.n)
          if (next.do === 'step') await here.step(next.n, next.fate)
          else await settle()
          for (const resource of RESOURCES) expect(here.holders(resource).length).toBeLessThanOrEqual(1)
        }

        for (let round = 0; round < 400; round++) {
          if (here.members.length === 0) here.join('z')
          for (const one of [...here.members]) {
            here.deliver(one, Number.POSITIVE_INFINITY)
            // A process whose place was taken ends.
            if (one.ownership.replaced) here.kill(one)
            else {
              here.beat(one)
              here.balance(one)
            }
          }
          await here.finishCalls()
          here.pass(250)
        }
        const counts = here.members.map(({ ownership }) => RESOURCES.filter(ownership.holds).length)
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(RESOURCES.length)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        for (const { ownership, told } of here.members)
          expect([...told].sort()).toEqual(RESOURCES.filter(ownership.holds))
      }),
      { seed: Number(process.env.OWNERSHIP_SEED ?? 11), numRuns: Number(process.env.OWNERSHIP_RUNS ?? 150) },
    )
  }, 120_000)

  it('moves what a dead member held to the others, and nothing else', async () => {
    const here = world()
    const rounds = async (count: number) => {
      for (let round = 0; round < count; round++) {
        for (const one of here.members) {
          here.deliver(one, Number.POSITIVE_INFINITY)
          here.beat(one)
          here.balance(one)
        }
        await here.finishCalls()
        here.pass(250)
      }
    }
    for (const name of ['a', 'b', 'c']) here.join(name)
    await rounds(20)
    const [first, second, third] = here.members
    const before = [...second!.told]
    here.kill(first!)
    await rounds(20)
    expect(second!.told.size + third!.told.size).toBe(RESOURCES.length)
    for (const resource of before) expect(second!.told).toContain(resource)
  })

  it('gets its share, and no more, also when no news reach it, and notices that', async () => {
    const here = world()
    const round = async () => {
      for (const one of here.members) {
        if (one.name !== 'deaf') here.deliver(one, Number.POSITIVE_INFINITY)
        here.beat(one)
        here.balance(one)
      }
      await here.finishCalls()
      here.pass(250)
      for (const resource of RESOURCES) expect(here.holders(resource).length).toBeLessThanOrEqual(1)
    }
    here.join('a')
    for (let i = 0; i < 5; i++) await round()
    here.join('deaf')
    const [first, deaf] = here.members
    let noticed = false
    for (let i = 0; i < 40; i++) {
      await round()
      noticed ||= deaf!.ownership.isDeaf()
    }
    expect([first!.told.size, deaf!.told.size].sort()).toEqual([2, 3])
    expect(noticed).toBe(true)
    expect(first!.ownership.isDeaf()).toBe(false)
  })

  it('leaves alone what another member took while it looked up whether the owner before was gone', async () => {
    const here = world()
    const rounds = async (beating: Member[], count: number) => {
      for (let round = 0; round < count; round++) {
        for (const one of beating) here.beat(one)
        await here.finishCalls()
        here.pass(250)
      }
    }
    here.join('a')
    here.beat(here.members[0]!)
    await here.finishCalls()
    here.balance(here.members[0]!)
    await settle()
    await here.finishCalls()
    expect(here.members[0]!.told.size).toBe(RESOURCES.length)
    // The second never hears of the third, and takes all.
    here.join('b')
    await rounds([here.members[1]!], 1)
    here.join('c')
    const [first, second, third] = here.members
    here.kill(first!)
    await rounds([second!, third!], 14)
    here.balance(third!)
    await settle()
    here.balance(second!)
    await settle()
    while (here.waiting() > 1) await here.step(1, 'done')
    expect(RESOURCES.filter(second!.ownership.holds)).toEqual(RESOURCES)
    here.deliver(third!, Number.POSITIVE_INFINITY)
    await here.finishCalls()
    for (const resource of RESOURCES) expect(here.holders(resource)).toEqual([second])
  })

  it.each([
    { when: 'before anything was claimed', rounds: 0 },
    { when: 'a while ago', rounds: 8 },
  ])('writes its leases again when the store has lost what came after a state from $when', async ({ rounds }) => {
    const here = world()
    const run = async (count: number) => {
      for (let round = 0; round < count; round++) {
        for (const one of here.members) {
          here.deliver(one, Number.POSITIVE_INFINITY)
          here.beat(one)
          here.balance(one)
        }
        await here.finishCalls()
        here.pass(250)
      }
    }
    const heldBy = () => here.members.map(({ ownership }) => RESOURCES.filter(ownership.holds).length)
    here.join('a')
    here.join('b')
    await run(rounds)
    const bringBack = here.keep()
    await run(20)
    // They lapse, and are written once more.
    here.pass(2_500)
    await run(20)
    expect(heldBy().toSorted()).toEqual([2, 3])
    bringBack()
    here.pass(2_500)
    await run(40)
    expect(heldBy().toSorted()).toEqual([2, 3])
    here.kill(here.members[0]!)
    await run(40)
    expect(heldBy()).toEqual([RESOURCES.length])
  })

  it('gives its place to the next start of its name at once', async () => {
    const here = world()
    const round = async () => {
      for (const one of here.members) {
        here.deliver(one, Number.POSITIVE_INFINITY)
        here.beat(one)
        await here.finishCalls()
        here.balance(one)
        await here.finishCalls()
      }
    }
    here.join('a')
    for (let i = 0; i < 3; i++) await round()
    const [paused] = here.members
    expect(paused!.told.size).toBe(RESOURCES.length)
    here.members.length = 0
    here.join('a')
    here.pass(2_000)
    for (let i = 0; i < 3; i++) await round()
    expect(here.members[0]!.told.size).toBe(RESOURCES.length)
    here.deliver(paused!, Number.POSITIVE_INFINITY)
    expect(paused!.ownership.replaced).toBe(true)
    expect(paused!.told.size).toBe(0)
  })
})
