import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { ConfigurationError, type Log } from '@slotstream/runtime'
import { type CityResponse, Reader } from 'maxmind'

/** How often the file is looked at, in milliseconds. */
const LOOK_EVERY_MS = 5_000

/** A place as it is stored in `context.location`. */
export interface Place {
  /** ISO 3166-1: "DE". */
  country?: string
  /** In English: "Hamburg". */
  city?: string
}

/** Looks addresses up. */
export interface Places {
  find(address: string): Place | undefined
  stop(): void
}

/**
 * Opens a database of MaxMind's format, of countries or of cities. A changed file is read again; one that can't be read
 * leaves the old one in use, and is said in the log.
 *
 * @throws ConfigurationError when there is no such database
 */
export async function openPlaces(path: string, log: Log, lookEveryMs = LOOK_EVERY_MS): Promise<Places> {
  let reader = await load().catch(error => {
    throw new ConfigurationError(`GEOIP_DATABASE is "${path}": ${(error as Error).message}`)
  })
  const reload = () =>
    load().then(
      fresh => {
        reader = fresh
        log.info('read the changed database of places')
      },
      error => log.warn({ err: error }, 'the changed database of places cannot be read: using the old one'),
    )
  watchFile(path, { interval: lookEveryMs, persistent: false }, reload)

  async function load(): Promise<Reader<CityResponse>> {
    return new Reader<CityResponse>(await readFile(path))
  }

  return {
    find(address) {
      const place = reader.get(address)
      const country = place?.country?.iso_code
      const city = place?.city?.names?.en
      if (!country && !city) return undefined
      return { ...(country ? { country } : {}), ...(city ? { city } : {}) }
    },
    stop: () => unwatchFile(path, reload),
  }
}
