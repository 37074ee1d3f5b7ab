import { describe, expect, it } from 'vitest'
import { MOST } from '#core/signals/session-anomaly.js'
import { detected, MINUTE, message, NOW } from './detected.js'

const every = (ms: number, count: number, fields = {}, from = NOW) =>
  Array.from({ length: count }, (_, i) => message(from + i * ms, fields))
const anomalies = (messages: ReturnType<typeof every>) => detected(messages, 'session_anomaly')

describe('a session anomaly', () => {
  it('is found when a minute has more messages than a person causes, once a session', () => {
    const messages = every(100, 3 * MOST.messages, { context: { sessionId: 's1' } })
    const [anomaly, ...more] = anomalies(messages)
    expect(more).toEqual([])
    expect(anomaly).toMatchObject({
      messageId: messages[MOST.messages]!.messageId,
      sessionId: 's1',
      details: { what: 'messages', count: MOST.messages + 1, most: MOST.messages, seconds: 30 },
    })
  })

  it('is found when a minute has more page views than a person can look at', () => {
    const [anomaly, ...more] = anomalies(every(500, 2 * MOST.page_views, { type: 'page' }))
    expect(more).toEqual([])
    expect(anomaly?.details).toMatchObject({ what: 'page_views', count: MOST.page_views + 1 })
  })

  it('is none of a busy person, for hours', () => {
    expect(anomalies(every(MINUTE / MOST.messages, 5_000))).toEqual([])
    expect(anomalies(every(MINUTE / MOST.page_views, 1_000, { type: 'page' }))).toEqual([])
  })

  it('is found anew in the next session', () => {
    const burst = (sessionId: string, from: number) => every(10, MOST.messages + 1, { context: { sessionId } }, from)
    const found = anomalies([...burst('s1', NOW), ...burst('s2', NOW + 2 * MINUTE)])
    expect(found.map(({ sessionId }) => sessionId)).toEqual(['s1', 's2'])
  })

  it('does not count what came late from an earlier session, nor from before the minute', () => {
    const late = every(1, 2 * MOST.messages, { context: { sessionId: 's0' } }, NOW - 60 * MINUTE)
    const before = every(1, 2 * MOST.messages, { context: { sessionId: 's1' } }, NOW - 5 * MINUTE)
    expect(anomalies([message(NOW, { context: { sessionId: 's1' } }), ...late, ...before])).toEqual([])
  })
})
