import { ConfigurationError, numberSetting, textSetting } from '@slotstream/runtime'

/** What an operator can set. */
export interface CollectorSettings {
  /** Requests a second of one address. 0: no limit. Default 500. */
  addressPerSecond: number
  /** Requests a second for one site on one collector. 0: no limit. Default 10,000. */
  sitePerSecond: number
  /** Bytes of bodies that may be worked on at a time; beyond it requests are answered 503. Default 32 MB. */
  maxInFlightBytes: number
  /** Connections at a time; further ones are closed. Default 20,000. */
  maxConnections: number
  /** Proxies whose `X-Forwarded-For` is believed: addresses, networks, names of ranges, or how many stand in a row. */
  trustProxy: string[] | number
  /** How long a client may take for its headers, and for a whole request, in milliseconds. Default 10,000 and 30,000. */
  headersTimeoutMs: number
  requestTimeoutMs: number
}

/** Addresses of one's own network are one's own reverse proxy. */
const OWN_NETWORK = 'loopback,linklocal,uniquelocal'

/** The settings of the environment. Throws ConfigurationError when one can't be used. */
export function collectorSettings(env: NodeJS.ProcessEnv = process.env): CollectorSettings {
  return {
    addressPerSecond: numberSetting('RATE_LIMIT_ADDRESS', 500, { env }),
    sitePerSecond: numberSetting('RATE_LIMIT_SITE', 10_000, { env }),
    maxInFlightBytes: numberSetting('MAX_IN_FLIGHT_MB', 32, { min: 1, max: 16_384, env }) * 1024 * 1024,
    maxConnections: numberSetting('MAX_CONNECTIONS', 20_000, { min: 1, env }),
    trustProxy: trustProxy(textSetting('TRUST_PROXY', OWN_NETWORK, env)),
    headersTimeoutMs: numberSetting('HEADERS_TIMEOUT_MS', 10_000, { min: 100, env }),
    requestTimeoutMs: numberSetting('REQUEST_TIMEOUT_MS', 30_000, { min: 100, env }),
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
