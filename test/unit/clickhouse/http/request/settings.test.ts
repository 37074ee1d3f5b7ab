import { describe, expect, it } from 'vitest'
import { analystSettings } from '#clickhouse/access/settings/analyst-settings.js'
import { DEFAULT_ANALYST_LIMITS } from '#clickhouse/access/settings/limits.js'
import { readRequestSettings } from '#clickhouse/http/request/settings.js'
import { quoteString } from '#clickhouse/sql/quote.js'

const read = (query: string): ReturnType<typeof readRequestSettings> => readRequestSettings(new URLSearchParams(query))

describe('URL parameters', () => {
  it('are sorted by meaning', () => {
    expect(
      read(
        'query=SELECT+1&database=d&query_id=q&default_format=CSV&user=u&password=p&enable_http_compression=1' +
          "&wait_end_of_query=true&param_a=x'y&insert_deduplication_token=E:1-5&buffer_size=9&max_threads=1&max_threads=2",
      ),
    ).toEqual({
      query: 'SELECT 1',
      database: 'd',
      defaultFormat: 'CSV',
      user: 'u',
      password: 'p',
      compress: true,
      compressBlocks: false,
      decompressBlocks: false,
      progress: false,
      progressIntervalMs: 100,
      waitEndOfQuery: true,
      parameters: [['a', "x'y"]],
      settings: [
        ['insert_deduplication_token', 'E:1-5'],
        ['max_threads', '2'],
      ],
    })
  })

  it('ask for progress, every tenth of a second at most', () => {
    const interval = (value: string): number => read(`http_headers_progress_interval_ms=${value}`).progressIntervalMs
    expect(read('send_progress_in_http_headers=1').progress).toBe(true)
    expect(['0', '100', '110000', '18446744073709551615'].map(interval)).toEqual([100, 100, 110_000, 3_600_000])
    for (const value of ['', '-1', '1e3', 'x']) expect(() => interval(value)).toThrow(/whole number of milliseconds/)
  })

  it('name a session, or none', () => {
    expect(read('session_id=a&session_timeout=5&session_check=1&close_session=1').session).toEqual({
      id: 'a',
      timeout: '5',
      check: true,
      close: true,
    })
    expect(read('session_id=a').session).toEqual({ id: 'a', check: false, close: false })
    const without = read('session_id=&session_timeout=5')
    expect([without.session, without.settings]).toEqual([undefined, []])
  })

  it('that the engine cannot honour are rejected, those with no effect are dropped', () => {
    expect(() => read('role=a')).toThrow(/roles/)
    expect(read('role=').settings).toEqual([])
  })

  it('ask for compressed blocks, of the answer or of the body', () => {
    expect(read('compress=1')).toMatchObject({ compressBlocks: true, decompressBlocks: false, settings: [] })
    expect(read('decompress=1')).toMatchObject({ compressBlocks: false, decompressBlocks: true, settings: [] })
    expect(read('compress=0&decompress=0')).toMatchObject({ compressBlocks: false, decompressBlocks: false })
  })

  it('have values of 128 KB at most', () => {
    const atMost = `param_a=${'x'.repeat(128 * 1024)}`
    expect(read(atMost).parameters[0]![1]).toHaveLength(128 * 1024)
    expect(() => read(`${atMost}x`)).toThrow('The parameter a has 131073 bytes: 131072 are the most')
  })

  it('cannot smuggle SQL in a name', () => {
    expect(() => read('a%20=1')).toThrow(/Unknown setting/)
    expect(() => read('param_a%3B=1')).toThrow(/Unknown setting/)
    expect(quoteString("a'b\\")).toBe("'a\\'b\\\\'")
  })
})

describe('settings of analysts', () => {
  const limits = Object.entries(DEFAULT_ANALYST_LIMITS).map(([name, value]) => [name, String(value)])

  it('always carry the limits, which can only be tightened', () => {
    expect(analystSettings([], DEFAULT_ANALYST_LIMITS)).toEqual(limits)
    const asked = (value: string): string =>
      new Map(analystSettings([['max_execution_time', value]], DEFAULT_ANALYST_LIMITS)).get('max_execution_time')!
    expect(['5', '0.5', '600', '0', '-1', 'x', ''].map(asked)).toEqual(['5', '0.5', '60', '60', '60', '60', '60'])
  })

  it('may change looks, may carry what clients send, and nothing else', () => {
    const looks = [['output_format_json_quote_64bit_integers', '0']] as const
    expect(analystSettings(looks, DEFAULT_ANALYST_LIMITS)).toEqual([...looks, ...limits])
    for (const name of [
      'readonly',
      'http_headers_progress_interval_ms',
      'cancel_http_readonly_queries_on_client_close',
    ]) {
      expect(analystSettings([[name, '1']], DEFAULT_ANALYST_LIMITS)).toEqual(limits)
    }
    for (const [name, value] of [
      ['readonly', '0'],
      ['format_schema', 'x'],
      ['output_format_schema', 'x'],
      ['format_template_row', '/etc/passwd'],
      ['timeout_overflow_mode', 'break'],
      ['profile', 'x'],
      ['constructor', 'x'],
    ] as const) {
      expect(() => analystSettings([[name, value]], DEFAULT_ANALYST_LIMITS), name).toThrow(
        expect.objectContaining({ code: 164 }),
      )
    }
  })
})
