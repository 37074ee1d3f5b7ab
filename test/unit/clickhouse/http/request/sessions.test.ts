import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSessions, type SessionRequest } from '#clickhouse/http/request/sessions.js'

const asked = (request: Partial<SessionRequest> = {}): SessionRequest => ({
  id: 'a',
  check: false,
  close: false,
  ...request,
})
const change = { settings: [['max_threads', '1']] as [string, string][], database: 'd' }
const code = (wanted: number) => expect.objectContaining({ code: wanted })

describe('sessions', () => {
  afterEach(() => void vi.useRealTimers())

  it('keep what was changed in them, for their own user and id alone', () => {
    const sessions = createSessions(() => {})
    const first = sessions.enter('writer', asked())
    first.remember(change)
    first.leave(false)
    const again = sessions.enter('writer', asked())
    expect([again.settings, again.database]).toEqual([[['max_threads', '1']], 'd'])
    again.remember({ settings: [['max_threads', undefined]] })
    expect([again.settings, again.database]).toEqual([[], 'd'])
    expect(sessions.enter('analyst', asked()).settings).toEqual([])
    expect(sessions.enter('writer', asked({ id: 'b' })).settings).toEqual([])
  })

  it('take one query at a time, and whoever has left twice lets nobody else in', () => {
    const sessions = createSessions(() => {})
    const first = sessions.enter('writer', asked())
    expect(() => sessions.enter('writer', asked())).toThrow(code(373))
    first.leave(false)
    const second = sessions.enter('writer', asked())
    first.leave(false)
    expect(() => sessions.enter('writer', asked())).toThrow(code(373))
    second.leave(false)
  })

  it('end after their time without a query, when they are closed, and when their connection broke', () => {
    vi.useFakeTimers()
    const ended: string[] = []
    const sessions = createSessions(key => ended.push(key))
    const session = sessions.enter('writer', asked({ timeout: '5' }))
    vi.advanceTimersByTime(10_000)
    expect(ended).toEqual([])
    session.leave(false)
    vi.advanceTimersByTime(4_000)
    sessions.enter('writer', asked({ timeout: '5', check: true })).leave(false)
    vi.advanceTimersByTime(4_999)
    expect(ended).toEqual([])
    vi.advanceTimersByTime(1)
    expect(ended).toEqual(['writer:a'])
    expect(() => sessions.enter('writer', asked({ check: true }))).toThrow(code(372))
    sessions.enter('writer', asked({ close: true })).leave(false)
    sessions.enter('analyst', asked()).leave(true)
    expect(ended).toEqual(['writer:a', 'writer:a', 'analyst:a'])
  })

  it.each(['0', '-1', '3601', 'x', '1.5', ''])('last no %j seconds', timeout => {
    expect(() => createSessions(() => {}).enter('writer', asked({ timeout }))).toThrow(code(374))
  })

  it('are as many as the server can bear', () => {
    const sessions = createSessions(() => {}, 2)
    sessions.enter('writer', asked())
    sessions.enter('writer', asked({ id: 'b' })).leave(false)
    expect(() => sessions.enter('writer', asked({ id: 'c' }))).toThrow(code(202))
    sessions.enter('writer', asked({ id: 'b', close: true })).leave(false)
    sessions.enter('writer', asked({ id: 'c' }))
  })
})
