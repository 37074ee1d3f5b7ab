import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPlaces } from '#collector/enrich/places.js'
import { mmdb } from '../../../support/mmdb.js'
import { until } from '../../../support/until.js'

process.env.LOG_LEVEL = 'silent'
const log = createLog('test')
const place = (iso_code: string, city: string) => ({ country: { iso_code }, city: { names: { en: city } } })
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slotstream-places-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('places', () => {
  it('are found by network, and read again when the file changes', async () => {
    const path = join(folder, 'city.mmdb')
    await writeFile(
      path,
      mmdb({ '203.0.113.0/24': place('DE', 'Hamburg'), '198.51.0.0/16': { country: { iso_code: 'FR' } } }),
    )
    const places = await openPlaces(path, log, 50)
    try {
      expect(places.find('203.0.113.0')).toEqual({ country: 'DE', city: 'Hamburg' })
      expect(places.find('198.51.7.7')).toEqual({ country: 'FR' })
      expect(places.find('192.0.2.1')).toBeUndefined()
      await writeFile(path, 'broken')
      await new Promise(resolve => setTimeout(resolve, 200))
      expect(places.find('203.0.113.0')).toEqual({ country: 'DE', city: 'Hamburg' })
      await writeFile(path, mmdb({ '203.0.113.0/24': place('DE', 'Kiel') }))
      await until(
        'the new file',
        () => places.find('203.0.113.0'),
        found => found?.city === 'Kiel',
      )
    } finally {
      places.stop()
    }
  })

  it('need a database that can be read', async () => {
    await expect(openPlaces(join(folder, 'missing.mmdb'), log)).rejects.toThrow(/GEOIP_DATABASE is .*missing\.mmdb/)
  })
})
