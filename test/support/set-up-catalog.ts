import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { ADMIN_TOKEN, putSite, startBroker } from './collector.js'

type Broker = Awaited<ReturnType<typeof startBroker>>

/** Two collectors that know of each other by their buckets only, and a site that is new for each test. */
export interface CatalogOfTest {
  broker: Broker
  /** A collector that is a process, which can be killed. */
  program: Awaited<ReturnType<Broker['program']>>
  /** URL of the other collector. */
  other: string
  site: string
}

export interface Item {
  id: string
  [field: string]: unknown
}

export interface Answer {
  status: number
  revision: number
  slots: Item[]
  content: Item[]
  warnings?: string[]
  error: { code: string; message: string; details?: string[] }
}

export interface Revision {
  revision: number
  at: string
  slots: number
  content: number
  added: number
  changed: number
  removed: number
  changes: string[]
  rollbackTo?: number
}

/** @returns the ids of a catalog's slots, and those of its content */
export const idsOf = ({ slots, content }: Answer) => [slots, content].map(items => items.map(({ id }) => id))

/** @returns a content of the slot `hero` */
export const content = (id: string, more: object = {}) => ({
  id,
  slots: ['hero'],
  category: 'camp',
  payload: { title: id },
  ...more,
})

/** @returns the slot `hero` */
export const hero = (more: object = {}) => ({ id: 'hero', ...more })

/** @returns a catalog of the slot `hero` with contents of these ids */
export const catalogWith = (...ids: string[]) => ({ slots: [hero()], content: ids.map(id => content(id)) })

/**
 * Starts the collectors for the tests of a file, and makes a site for each test.
 *
 * @param onStart is called with them before each test
 */
export function setUpCatalog(onStart: (current: CatalogOfTest) => void) {
  let current: CatalogOfTest
  let sites = 0

  beforeAll(async () => {
    const broker = await startBroker()
    current = { broker, program: await broker.program(), other: await broker.collector(), site: '' }
  })
  afterAll(() => current?.broker.stop())
  beforeEach(async () => {
    current = { ...current, site: `shop-${++sites}` }
    await putSite(current.other, current.site)
    onStart(current)
  })

  /** Sends a request about the site to the admin API. */
  async function admin(method: string, path: string, body?: object, url = current.other): Promise<Answer> {
    const response = await fetch(`${url}/v1/admin/sites/${current.site}${path}`, {
      method,
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }
  }

  return {
    admin,
    catalog: () => admin('GET', '/catalog'),
    /** Reads the revisions of the catalog. */
    async history(): Promise<Revision[]> {
      const { status, ...answer } = await admin('GET', '/catalog/history')
      expect(status).toBe(200)
      return Object.values(answer) as never
    },
    /** Reads the revision that follows all items in the bucket that decisions are made from. */
    async published(): Promise<number | undefined> {
      const entry = await current.broker.installation.buckets.catalog.get(`${current.site}.published`)
      return entry?.operation === 'PUT' ? entry.json<{ revision: number }>().revision : undefined
    },
  }
}
