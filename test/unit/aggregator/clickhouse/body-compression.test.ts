import { describe, expect, it } from 'vitest'
import { bodyCompression } from '#aggregator/clickhouse/body-compression.js'

describe('bodyCompression', () => {
  it.each([['http://localhost:8123'], ['http://127.0.0.1:8123'], ['http://[::1]:8123']])('is none to %s', url => {
    expect(bodyCompression(url)).toBe(false)
  })

  it.each([['https://clickhouse.example:8443'], ['http://10.0.0.7:8123'], ['http://localhost.example']])(
    'is there to %s',
    url => {
      expect(bodyCompression(url)).toMatchObject({ codec: 'br' })
    },
  )
})
