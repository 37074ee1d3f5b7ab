import { parseError } from '@clickhouse/client'
import { describe, expect, it } from 'vitest'
import { ClickHouseException, formatException, httpStatusOf, toClickHouseException } from '#clickhouse/errors.js'

describe('engine errors', () => {
  it.each([
    ['Code: 47. DB::Exception: Unknown `x` (a) in scope. (UNKNOWN_IDENTIFIER)', 47, 'UNKNOWN_IDENTIFIER', 404],
    [
      'Code: 164. DB::Exception: Code: 164. DB::Exception: Cannot modify it. (READONLY) (version 26.7.2.1). (READONLY)',
      164,
      'READONLY',
      500,
    ],
    [
      'Code: 159. DB::Exception: Slow. (TIMEOUT_EXCEEDED) (version 26.7.2.1 (official build))',
      159,
      'TIMEOUT_EXCEEDED',
      408,
    ],
    ['something else broke', 1001, 'STD_EXCEPTION', 500],
  ])('%s', (text, code, type, status) => {
    const error = toClickHouseException(new Error(text))
    expect(error).toMatchObject({ code, type })
    expect(httpStatusOf(error)).toBe(status)
    expect(error.message).not.toMatch(/DB::Exception|READONLY|version/)
  })

  it('are read by the client as code and type again', () => {
    const body = formatException(new ClickHouseException(62, 'SYNTAX_ERROR', 'Syntax error: (a) b'), '26.7.2.1')
    expect(body).toBe('Code: 62. DB::Exception: Syntax error: (a) b. (SYNTAX_ERROR) (version 26.7.2.1)\n')
    expect(parseError(body)).toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
  })

  it('that are exceptions already stay as they are', () => {
    const error = new ClickHouseException(516, 'AUTHENTICATION_FAILED', 'no')
    expect(toClickHouseException(error)).toBe(error)
    expect(httpStatusOf(error)).toBe(403)
  })
})
