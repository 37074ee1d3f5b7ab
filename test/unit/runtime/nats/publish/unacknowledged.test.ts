import { expect, it, vi } from 'vitest'
import type { PublishError } from '#runtime/nats/publish/publish-error.js'
import { readAck } from '#runtime/nats/publish/read-ack.js'
import { createUnacknowledged } from '#runtime/nats/publish/unacknowledged.js'

/** A message of 10 bytes, and what it was rejected with. */
function message(deadline = 0) {
  const codes: string[] = []
  return { codes, resolve: vi.fn(), reject: (error: PublishError) => void codes.push(error.code), deadline, bytes: 10 }
}

it('bounds messages that are not acknowledged in number and in bytes', () => {
  const few = createUnacknowledged(2, 1_000)
  few.add('a', message())
  expect(few.hasRoom(10)).toBe(true)
  few.add('b', message())
  expect(few.hasRoom(1)).toBe(false)

  const small = createUnacknowledged(100, 25)
  small.add('a', message())
  expect([small.hasRoom(15), small.hasRoom(16)]).toEqual([true, false])
  small.take('a')
  expect(small.hasRoom(25)).toBe(true)
  expect(small.take('a')).toBeUndefined()
})

it('counts what is overdue until the socket is known to be empty', () => {
  const pending = createUnacknowledged(100, 25)
  const [overdue, later] = [message(5), message(9)]
  pending.add('a', overdue)
  pending.add('b', later)
  pending.rejectOverdue(5, 'too late')
  expect([overdue.codes, later.codes, pending.size]).toEqual([['timeout'], [], 1])
  expect([pending.hasRoom(5), pending.hasRoom(6)]).toEqual([true, false])
  pending.clearStalled()
  expect(pending.hasRoom(15)).toBe(true)
  pending.rejectAll('gone')
  expect([later.codes, pending.size]).toEqual([['not_connected'], 0])
})

it('reads what JetStream answers', () => {
  const ack = (answer: unknown, code?: number) =>
    readAck({ headers: code === undefined ? undefined : ({ code } as never), json: <T>() => answer as T })
  expect(ack({ seq: 7 })).toEqual({ seq: 7, duplicate: false })
  expect(ack({ seq: 7, duplicate: true })).toEqual({ seq: 7, duplicate: true })
  expect(ack({ error: { err_code: 10071, description: 'wrong last sequence' } })).toMatchObject({ code: 'conflict' })
  expect(ack({ error: { err_code: 10077, description: 'full' } })).toMatchObject({ code: 'refused' })
  expect(ack({})).toMatchObject({ code: 'refused' })
  expect(ack(null)).toMatchObject({ code: 'refused' })
  expect(ack({}, 503)).toMatchObject({ code: 'no_stream' })
})
