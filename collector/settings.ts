import { allowedHosts, ConfigurationError, type Environment, numberSetting, textSetting } from '@slotstream/runtime'
import type { RateLimits } from './safety/limits.js'
import type { BodyBounds } from './safety/open-bodies.js'

/** Settings of a collector. */
export interface CollectorSettings extends RateLimits, BodyBounds {
  /** How many times as long as usual slots may take before fewer new visitors are let through. 0: any. Default 2. */
  visitorSlowdown: number
  /** Connections at a time; further ones are closed. Default 20,000. */
  maxConnections: number
  /** Connections of one address at a time; beyond it, an idle one is closed. Default 2,000. */
  maxConnectionsPerAddress: number
  /** Names of hosts by which this machine is asked, beside its own. Default none. */
  allowedHosts: string[]
  /**
   * Proxies whose `X-Forwarded-For` is believed: addresses, networks, names of ranges, or how many there are in a row.
   */
  trustProxy: string[] | number
  /**
   * How long a client may take for its headers, and for a whole request, in milliseconds. Default 10,000 and 30,000.
   */
  headersTimeoutMs: number
  requestTimeoutMs: number
  /** How long the client of an export may take nothing of it, in milliseconds. Default 120,000. */
  exportStallMs: number
  /** Whether webhooks may be at URLs without TLS and in private networks. Default false. */
  allowPrivateWebhooks: boolean
  /** Port of its own for `/metrics`. 0: none, it is answered on the collector's to those who may see it. Default 0. */
  metricsPort: number
  /** Address that this port is opened on. Default 127.0.0.1. */
  metricsHost: string
}

/** Reads the settings of the environment. Throws ConfigurationError when one can't be used. */
export function collectorSettings(env: Environment): CollectorSettings {
  return {
    addressPerSecond: numberSetting('RATE_LIMIT_ADDRESS', env),
    sitePerSecond: numberSetting('RATE_LIMIT_SITE', env),
    addressMessagesPerSecond: numberSetting('RATE_LIMIT_ADDRESS_MESSAGES', env),
    addressVisitorsPerSecond: numberSetting('RATE_LIMIT_ADDRESS_VISITORS', env),
    siteMessagesPerSecond: numberSetting('RATE_LIMIT_SITE_MESSAGES', env),
    siteVisitorsPerSecond: numberSetting('RATE_LIMIT_SITE_VISITORS', env),
    secretMessagesPerSecond: numberSetting('RATE_LIMIT_SECRET_MESSAGES', env),
    secretVisitorsPerSecond: numberSetting('RATE_LIMIT_SECRET_VISITORS', env),
    visitorSlowdown: numberSetting('NEW_VISITORS_SLOWDOWN', env),
    maxInFlightBytes: numberSetting('MAX_IN_FLIGHT_MB', env) * 1024 * 1024,
    maxOpenBodiesPerAddress: numberSetting('MAX_OPEN_BODIES_ADDRESS', env),
    minBodyBytesPerSecond: numberSetting('MIN_BODY_BYTES_PER_SECOND', env),
    bodyGraceMs: numberSetting('BODY_GRACE_MS', env),
    maxConnections: numberSetting('MAX_CONNECTIONS', env),
    maxConnectionsPerAddress: numberSetting('MAX_CONNECTIONS_ADDRESS', env),
    allowedHosts: allowedHosts(env),
    trustProxy: trustProxy(textSetting('TRUST_PROXY', env)),
    headersTimeoutMs: numberSetting('HEADERS_TIMEOUT_MS', env),
    requestTimeoutMs: numberSetting('REQUEST_TIMEOUT_MS', env),
    exportStallMs: numberSetting('EXPORT_STALL_MS', env),
    allowPrivateWebhooks: numberSetting('WEBHOOK_ALLOW_PRIVATE', env) === 1,
    metricsPort: numberSetting('METRICS_PORT', env),
    metricsHost: textSetting('METRICS_HOST', env),
  }
}

function trustProxy(text: string): string[] | number {
  if (text === 'none') return []
  if (/^\d{1,2}$/.test(text)) return Number(text)
  const entries = text.split(',').map(entry => entry.trim())
  for (const entry of entries)
    if (!/^(loopback|linklocal|uniquelocal|[0-9a-f.:]+(\/[0-9a-f.:]+)?)$/i.test(entry))
      throw new ConfigurationError(
        `TRUST_PROXY holds "${entry}": give addresses, networks such as 10.0.0.0/8, a number of proxies, or "none"`,
      )
  return entries
}
