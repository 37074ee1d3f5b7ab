import { Failure } from '../http/failure.js'

/** How often bodies are looked over for those that arrive too slowly, in milliseconds. */
const LOOK_OVER_MS = 1_000

/**
 * Head start of a body that has just begun, in bytes: without it, a body of which nothing arrived yet would be the
 * slowest of all.
 */
const HEAD_START_BYTES = 1_024

/** Bounds on bodies that are received or worked on. */
export interface BodyBounds {
  /** Bytes that arrived and are received or worked on at a time. */
  maxInFlightBytes: number
  /** Bodies that one network may be sending at a time. */
  maxOpenBodiesPerAddress: number
  /** Bytes a second that a body must bring on average, after a time of grace in milliseconds. */
  minBodyBytesPerSecond: number
  bodyGraceMs: number
}

/** Bodies of requests, from their first byte until the request is answered: what memory is spent on. */
export interface OpenBodies {
  /** Bytes that arrived and are not let go yet. */
  readonly bytes: number
  /**
   * Begins to receive a body.
   *
   * @param network of the client, as `networkOf` returns it
   * @param onLost is called at most once, with what to answer, if the body must give way before it is complete
   */
  open(network: string, onLost: (failure: Failure) => void): OpenBody
  stop(): void
}

/** The body of one request. */
export interface OpenBody {
  /** Bytes that arrived. */
  readonly bytes: number
  /** Counts bytes that arrived. */
  arrived(bytes: number): void
  /**
   * Says that all of it is here. From now on it takes what it is unpacked, and doesn't give way to others any more.
   *
   * @throws Failure `unavailable` when there is no room for it
   */
  complete(unpackedBytes: number): void
  /** Gives back what it took. */
  close(): void
}

interface Receiving {
  network: string
  bytes: number
  since: number
  onLost: (failure: Failure) => void
}

/**
 * Counts what arrived, not what was announced, so that nothing is rejected for the sake of bodies that never come. A
 * network with too many open bodies loses the slowest of them; so do all together, when memory is used up.
 *
 * @param now milliseconds; must not go back
 */
export function createOpenBodies(bounds: BodyBounds, now: () => number = () => performance.now()): OpenBodies {
  const { maxInFlightBytes, maxOpenBodiesPerAddress, minBodyBytesPerSecond, bodyGraceMs } = bounds
  const receiving = new Set<Receiving>()
  const byNetwork = new Map<string, Set<Receiving>>()
  let total = 0
  const sweeper = setInterval(dropSlow, LOOK_OVER_MS)
  sweeper.unref()

  function dropSlow() {
    const time = now()
    for (const body of receiving) {
      const overdue = time - body.since - bodyGraceMs
      if (overdue <= 0 || body.bytes >= (overdue / 1_000) * minBodyBytesPerSecond) continue
      const reason = `the body arrives too slowly: send at least ${minBodyBytesPerSecond} bytes a second`
      lose(body, new Failure('request_timeout', reason))
    }
  }

  function forget(body: Receiving) {
    if (!receiving.delete(body)) return false
    const others = byNetwork.get(body.network)
    others?.delete(body)
    if (others?.size === 0) byNetwork.delete(body.network)
    return true
  }

  function lose(body: Receiving, failure: Failure) {
    if (!forget(body)) return
    total -= body.bytes
    body.bytes = 0
    body.onLost(failure)
  }

  /** Returns the body with the least progress for its age. */
  function slowest(bodies: Iterable<Receiving>, except: Receiving): Receiving | undefined {
    const time = now()
    let slowestBody: Receiving | undefined
    let least = Number.POSITIVE_INFINITY
    for (const body of bodies) {
      const progress = (body.bytes + HEAD_START_BYTES) / Math.max(1, time - body.since)
      if (body === except || progress >= least) continue
      slowestBody = body
      least = progress
    }
    return slowestBody
  }

  /** Makes room, and tells whether there is any once bodies that are still on their way have given way to this one. */
  function makeRoom(body: Receiving): boolean {
    // A single one always fits, however small the bound is set.
    while (total > maxInFlightBytes && total > body.bytes) {
      const victim = slowest(receiving, body)
      if (!victim) return false
      lose(victim, tooMuch())
    }
    return true
  }

  return {
    get bytes() {
      return total
    },
    open(network, onLost) {
      const body: Receiving = { network, bytes: 0, since: now(), onLost }
      const others = byNetwork.get(network) ?? new Set()
      if (others.size >= maxOpenBodiesPerAddress) {
        const reason = `this address has more than ${maxOpenBodiesPerAddress} requests open: come again in a moment`
        const victim = slowest(others, body)
        if (victim) lose(victim, new Failure('rate_limited', reason, undefined, 1))
      }
      receiving.add(body)
      byNetwork.set(network, others.add(body))
      return {
        get bytes() {
          return body.bytes
        },
        arrived(bytes) {
          if (!receiving.has(body)) return
          body.bytes += bytes
          total += bytes
          if (!makeRoom(body)) lose(body, tooMuch())
        },
        complete(unpackedBytes) {
          if (!forget(body)) throw tooMuch()
          total += unpackedBytes - body.bytes
          body.bytes = unpackedBytes
          if (!makeRoom(body)) throw tooMuch()
        },
        close() {
          forget(body)
          total -= body.bytes
          body.bytes = 0
        },
      }
    },
    stop: () => clearInterval(sweeper),
  }
}

function tooMuch(): Failure {
  return new Failure('unavailable', 'the collector has too much to do: keep this and send it again')
}
