import { describe, expect, it } from 'vitest'
import { createTurns } from '#runtime/process/turns.js'

/** Work that ends when the test says so. */
function work() {
  let resolve!: (value: string) => void
  let reject!: (error: Error) => void
  const promise = new Promise<string>((...ends) => {
    ;[resolve, reject] = ends
  })
  const begun: boolean[] = []
  return {
    run: () => {
      begun.push(true)
      return promise
    },
    begun: () => begun.length > 0,
    resolve,
    reject,
  }
}

const settle = () => new Promise(resolve => setImmediate(resolve))

describe('turns', () => {
  it('runs so many at a time, the others in the order in which they came, also after a failure', async () => {
    const inTurn = createTurns(2)
    const all = [work(), work(), work(), work()] as const
    const begun = () => all.map(each => each.begun())
    const results = all.map(each => inTurn(each.run))
    expect(begun()).toEqual([true, true, false, false])
    all[1].reject(new Error('no'))
    await expect(results[1]).rejects.toThrow('no')
    await settle()
    expect(begun()).toEqual([true, true, true, false])
    for (const each of all) each.resolve('done')
    expect(await Promise.all([results[0], results[2], results[3]])).toEqual(['done', 'done', 'done'])
  })

  it('rejects what is more than may wait, with an error of its own', async () => {
    const inTurn = createTurns(1, 1, () => new Error('later'))
    const [first, second, third] = [work(), work(), work()]
    const results = [inTurn(first.run), inTurn(second.run)]
    await expect(inTurn(third.run)).rejects.toThrow('later')
    expect(third.begun()).toBe(false)
    first.resolve('first')
    second.resolve('second')
    expect(await Promise.all(results)).toEqual(['first', 'second'])
  })
})
