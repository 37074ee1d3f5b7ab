import { expect, it } from 'vitest'
import { reconnectPauses } from '#runtime/nats/connection/reconnect-pauses.js'

type Server = Parameters<ReturnType<typeof reconnectPauses>['reconnectToServer']>[0][number]

it('tries each server at once, and again after one to two pauses of its own', () => {
  let now = 0
  const { reconnectToServer } = reconnectPauses(100, () => now)
  const delayOf = (listen: string) => (reconnectToServer([{ listen } as Server], null) as { delay: number }).delay
  expect([delayOf('a'), delayOf('b')]).toEqual([0, 0])
  const first = delayOf('a')
  expect(first).toBeGreaterThanOrEqual(100)
  expect(first).toBeLessThanOrEqual(200)
  now += first + 50
  const second = delayOf('a')
  expect(second).toBeGreaterThanOrEqual(50)
  expect(second).toBeLessThanOrEqual(150)
  now += 1_000
  expect(delayOf('b')).toBe(0)
})
