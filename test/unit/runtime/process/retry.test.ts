import { getEventListeners } from 'node:events'
import { Stopped } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { pause, repeat, retryForever, retryUntilAborted } from '#runtime/process/retry.js'
import { within } from '#runtime/process/within.js'

const QUICK = { firstMs: 1, longestMs: 1 }
const never = new Promise<never>(() => {})

describe('trying again until an abort', () => {
  it('tries once more after it, and then throws what failed', async () => {
    const abort = new AbortController()
    const failures: unknown[] = []
    let tries = 0
    const failing = retryUntilAborted(
      async () => {
        throw new Error(`try ${++tries}`)
      },
      abort.signal,
      error => {
        failures.push(error)
        abort.abort()
      },
    )
    await expect(failing).rejects.toThrow('try 2')
    expect(failures).toHaveLength(1)
    expect(
      await retryUntilAborted(
        async () => 'done',
        abort.signal,
        () => {},
      ),
    ).toBe('done')
  })
})

describe('trying again', () => {
  it('goes on until it succeeds, and tells each failure', async () => {
    const attempts: number[] = []
    const action = async () => {
      if (attempts.length < 3) throw new Error('not yet')
      return 'done'
    }
    const note = (_error: unknown, attempt: number) => attempts.push(attempt)
    expect(await retryForever(action, undefined, note, undefined, QUICK)).toBe('done')
    expect(attempts).toEqual([0, 1, 2])
  })

  it('ends with what is fatal, and when it is told to stop', async () => {
    const fatal = new Error('for good')
    const fails = () => Promise.reject(fatal)
    await expect(
      retryForever(
        fails,
        undefined,
        () => {},
        error => error === fatal,
      ),
    ).rejects.toBe(fatal)
    const abort = new AbortController()
    const trying = retryForever(fails, abort.signal, () => abort.abort(), undefined, {
      firstMs: 60_000,
      longestMs: 60_000,
    })
    await expect(trying).rejects.toBeInstanceOf(Stopped)
    await expect(pause(60_000, abort.signal)).rejects.toBeInstanceOf(Stopped)
  })
})

describe('waiting', () => {
  it('is no leak of listeners where many wait for one signal', async () => {
    const { signal } = new AbortController()
    const warnings: string[] = []
    const warn = ({ name }: Error) => warnings.push(name)
    process.on('warning', warn)
    await Promise.all(Array.from({ length: 20 }, () => pause(1, signal)))
    // Warnings are told in a later turn.
    await pause(1)
    process.off('warning', warn)
    expect(warnings).toEqual([])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('repeating', () => {
  it('goes on past failures, and ends with its signal', async () => {
    const abort = new AbortController()
    const failures: unknown[] = []
    let times = 0
    const action = async () => {
      times++
      if (times === 2) throw new Error('once')
      if (times === 4) abort.abort()
    }
    await repeat(action, 1, abort.signal, error => failures.push(error))
    expect(times).toBe(4)
    expect(failures).toHaveLength(1)
  })

  it('waits as long as the work asks for', async () => {
    const abort = new AbortController()
    let times = 0
    const action = async () => {
      if (++times === 3) abort.abort()
      return 1
    }
    await repeat(action, 600_000, abort.signal, () => {})
    expect(times).toBe(3)
  })
})

describe('a time limit', () => {
  it('yields the value, boxed, or undefined when it comes too late', async () => {
    expect(await within(60_000, Promise.resolve(undefined))).toEqual({ value: undefined })
    expect(await within(1, never)).toBeUndefined()
    expect(await within(-5, Promise.resolve('there'))).toEqual({ value: 'there' })
    await expect(within(60_000, Promise.reject(new Error('in time')))).rejects.toThrow('in time')
  })
})
