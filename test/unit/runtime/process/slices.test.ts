import { describe, expect, it } from 'vitest'
import { createSlices } from '#runtime/process/slices.js'

describe('slices', () => {
  it('let other work in when a turn of the event loop has lasted too long, and not before', async () => {
    const slice = createSlices(5)
    expect(slice()).toBeUndefined()
    expect(slice()).toBeUndefined()
    const begun = performance.now()
    while (performance.now() - begun < 6);
    let others = 0
    setImmediate(() => others++)
    const turn = slice()
    expect(turn).toBeInstanceOf(Promise)
    await turn
    await new Promise(resolve => setImmediate(resolve))
    expect(others).toBe(1)
    expect(slice()).toBeUndefined()
  })
})
