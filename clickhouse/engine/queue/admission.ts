import type { Account } from '../../access/accounts.js'
import { ClickHouseException } from '../../errors.js'

/** Resources that a query of an account asks for. */
export interface AdmissionRequest {
  account: Account
  /** Bytes that the query may take at most, its `max_memory_usage`. */
  memory: number
}

/** Places and memory that the queries of all accounts without full rights share. */
export interface Admission {
  /**
   * Waits until the query may run; the returned function gives back what it had.
   *
   * @throws ClickHouseException TOO_MANY_SIMULTANEOUS_QUERIES (202) when too many wait
   */
  enter(request: AdmissionRequest, signal: AbortSignal): Promise<() => void>
}

/** Part of the memory that one account may have, so that some is left for the others. */
const ACCOUNT_SHARE = 3 / 4

/** Resources of an account's running queries. */
interface Usage {
  queries: number
  memory: number
}

interface Waiting extends AdmissionRequest {
  start(): void
}

/**
 * Admits queries in order of arrival, within the places, the memory of all together, and what one account may run at a
 * time and have of the memory. A query that waits for its own account's others lets those of other accounts pass; one
 * that waits for memory of all doesn't, or a big one would wait for as long as small ones come.
 *
 * @param places queries that run at a time
 * @param memory bytes that all of them together may take
 * @param queue queries that may wait; an account has half of them at most
 */
export function createAdmission(places: number, memory: number, queue: number): Admission {
  const running = new Map<string, Usage>()
  let free = places
  let left = memory
  let waiting: Waiting[] = []

  const usageOf = ({ name }: Account): Usage => running.get(name) ?? { queries: 0, memory: 0 }
  const needs = (request: AdmissionRequest): number => Math.min(request.memory, memory)

  /**
   * Tells whether an account is busy. An account without running queries is never busy: a single one may be as large as
   * there is room.
   */
  function isBusy(request: AdmissionRequest): boolean {
    const { queries, memory: used } = usageOf(request.account)
    if (queries === 0) return false
    return queries >= request.account.limits.max_concurrent_queries || used + needs(request) > memory * ACCOUNT_SHARE
  }

  function take(request: AdmissionRequest): void {
    const { queries, memory: used } = usageOf(request.account)
    free--
    left -= needs(request)
    running.set(request.account.name, { queries: queries + 1, memory: used + needs(request) })
  }

  function giveBack(request: AdmissionRequest): void {
    const { queries, memory: used } = usageOf(request.account)
    free++
    left += needs(request)
    if (queries === 1) running.delete(request.account.name)
    else running.set(request.account.name, { queries: queries - 1, memory: used - needs(request) })
    startWaiting()
  }

  function startWaiting(): void {
    for (const next of [...waiting]) {
      if (free === 0) return
      if (isBusy(next)) continue
      if (needs(next) > left) return
      waiting = waiting.filter(other => other !== next)
      take(next)
      next.start()
    }
  }

  function waitForTurn(request: AdmissionRequest, signal: AbortSignal): Promise<void> {
    const ofAccount = waiting.filter(({ account }) => account.name === request.account.name).length
    if (waiting.length >= queue || ofAccount >= Math.ceil(queue / 2))
      throw tooMany(waiting.length - ofAccount, ofAccount)
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        ...request,
        start() {
          signal.removeEventListener('abort', leave)
          resolve()
        },
      }
      const leave = (): void => {
        waiting = waiting.filter(other => other !== entry)
        reject(signal.reason)
        startWaiting()
      }
      waiting.push(entry)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  return {
    async enter(request, signal) {
      signal.throwIfAborted()
      const passes = waiting.every(isBusy)
      if (passes && free > 0 && needs(request) <= left && !isBusy(request)) take(request)
      else await waitForTurn(request, signal)
      let gone = false
      return () => {
        if (gone) return
        gone = true
        giveBack(request)
      }
    },
  }
}

function tooMany(others: number, ofAccount: number): ClickHouseException {
  return new ClickHouseException(
    202,
    'TOO_MANY_SIMULTANEOUS_QUERIES',
    `Too many simultaneous queries: ${ofAccount} of this user and ${others} of others are waiting. Try again later, or ask for ` +
      'less max_memory_usage: more queries then run at a time',
  )
}
