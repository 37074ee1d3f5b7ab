import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FINAL_PASSES,
  FIRST_STATE,
  stepWorker,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerPhase,
} from '#aggregator/profiles/partition/worker-state.js'

const ORDER: WorkerPhase[] = ['loading', 'catching-up', 'serving', 'releasing', 'released']

/** Runs events from the first state on. */
function run(events: WorkerEvent[]) {
  let state = FIRST_STATE
  const phases: WorkerPhase[] = [state.phase]
  const effects: WorkerEffect[][] = []
  for (const event of events) {
    const [next, caused] = stepWorker(state, event)
    state = next
    phases.push(state.phase)
    effects.push(caused)
  }
  return { phases, effects, all: effects.flat(), phase: state.phase }
}

const flushed = (isStored: boolean, isLeased = true): WorkerEvent => ({ type: 'flushed', isStored, isLeased })
const SERVING: WorkerEvent[] = [{ type: 'loaded' }, { type: 'caught-up' }]
const RELEASING: WorkerEvent[] = [...SERVING, { type: 'release' }, { type: 'reader-stopped', isLeased: true }]

describe('the state of a partition worker', () => {
  it('goes from loading through catching up and serving to released', () => {
    const { phases, effects } = run([...RELEASING, flushed(true)])
    expect(phases).toEqual(['loading', 'catching-up', 'serving', 'releasing', 'releasing', 'released'])
    expect(effects).toEqual([['follow'], ['serve'], ['abort', 'stop-reader'], ['flush'], ['finish']])
  })

  it('stores again what could not be stored, a few times and only while the partition is held', () => {
    const failures = Array.from({ length: FINAL_PASSES + 2 }, () => flushed(false))
    const { all, phase } = run([...RELEASING, ...failures])
    expect(all.filter(effect => effect === 'flush')).toHaveLength(FINAL_PASSES)
    expect(phase).toBe('released')
    expect(run([...RELEASING, flushed(false, false)]).all.filter(effect => effect === 'flush')).toHaveLength(1)
    expect(run([...SERVING, { type: 'release' }, { type: 'reader-stopped', isLeased: false }]).all).not.toContain(
      'flush',
    )
  })

  it('stores nothing of a partition that is dropped', () => {
    const { effects, phase } = run([...SERVING, { type: 'drop' }, { type: 'reader-stopped', isLeased: true }])
    expect(effects.slice(2)).toEqual([['abort', 'stop-reader', 'finish'], []])
    expect(phase).toBe('released')
  })

  it('has nothing to stop or to store while it loads', () => {
    for (const type of ['release', 'drop'] as const)
      expect(run([{ type }, { type: 'loaded' }, { type: 'caught-up' }]).all).toEqual(['abort', 'finish'])
  })

  const anyEvent: fc.Arbitrary<WorkerEvent> = fc.oneof(
    fc.constantFrom<WorkerEvent>({ type: 'loaded' }, { type: 'caught-up' }, { type: 'release' }, { type: 'drop' }),
    fc.record({ type: fc.constant('reader-stopped' as const), isLeased: fc.boolean() }),
    fc.record({ type: fc.constant('flushed' as const), isStored: fc.boolean(), isLeased: fc.boolean() }),
  )

  it('never goes back, and does each thing once, after any order of events', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), events => {
        const { phases, effects, all, phase } = run(events)
        const ranks = phases.map(name => ORDER.indexOf(name))
        expect(ranks).toEqual(ranks.toSorted((a, b) => a - b))
        const count = (effect: WorkerEffect) => all.filter(name => name === effect).length
        for (const effect of ['follow', 'serve', 'abort', 'stop-reader', 'finish'] as const)
          expect(count(effect)).toBeLessThanOrEqual(1)
        expect(count('flush')).toBeLessThanOrEqual(FINAL_PASSES)
        expect(count('finish')).toBe(phase === 'released' ? 1 : 0)
        expect(count('abort')).toBe(phase === 'releasing' || phase === 'released' ? 1 : 0)
        expect(count('stop-reader')).toBe(count('follow') === 1 && count('abort') === 1 ? 1 : 0)
        const place = (effect: WorkerEffect) => all.indexOf(effect)
        if (count('serve')) expect(place('follow')).toBeLessThan(place('serve'))
        if (count('serve') && count('abort')) expect(place('serve')).toBeLessThan(place('abort'))
        if (count('flush')) expect(place('stop-reader')).toBeLessThan(place('flush'))
        // Nothing is stored after a drop, nor without a lease.
        const drop = events.findIndex(({ type }) => type === 'drop')
        if (drop >= 0) expect(effects.slice(drop).flat()).not.toContain('flush')
        for (const [index, event] of events.entries())
          if (effects[index]!.includes('flush')) expect(event).toMatchObject({ isLeased: true })
      }),
      { seed: 7, numRuns: 2_000 },
    )
  })

  it('ends released once it is given up, whenever what was begun ends, and never stores twice at a time', () => {
    // What effects cause comes in any order with what happens from outside.
    const outside = fc.array(fc.constantFrom('release' as const, 'drop' as const, 'cause' as const), { maxLength: 20 })
    fc.assert(
      fc.property(outside, fc.array(fc.nat()), fc.infiniteStream(fc.boolean()), (happenings, picks, chances) => {
        const chance = () => chances.next().value as boolean
        let state = FIRST_STATE
        const pending: (() => WorkerEvent)[] = [() => ({ type: 'loaded' })]
        let flushing = 0
        const send = (event: WorkerEvent) => {
          if (event.type === 'flushed') flushing--
          const [next, effects] = stepWorker(state, event)
          state = next
          for (const effect of effects) {
            if (effect === 'follow') pending.push(() => ({ type: 'caught-up' }))
            if (effect === 'stop-reader') pending.push(() => ({ type: 'reader-stopped', isLeased: chance() }))
            if (effect !== 'flush') continue
            expect(++flushing).toBe(1)
            pending.push(() => flushed(chance(), chance()))
          }
        }
        const cause = (pick: number) => {
          const [event] = pending.splice(pick % Math.max(1, pending.length), 1)
          if (event) send(event())
        }
        for (const [index, type] of happenings.entries()) {
          if (type === 'cause') cause(picks[index] ?? 0)
          else send({ type })
        }
        send({ type: 'release' })
        while (pending.length > 0) cause(picks.at(-1) ?? 0)
        expect(state.phase).toBe('released')
      }),
      { seed: 7, numRuns: 2_000 },
    )
  })
})
