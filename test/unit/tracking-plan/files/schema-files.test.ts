import { describe, expect, it } from 'vitest'
import { parseSchema } from '#tracking-plan/files/schema-files.js'

describe('the file of a schema', () => {
  it('may begin with a byte order mark', () => {
    expect(parseSchema('a.json', '\uFEFF{"type":"object"}')).toEqual({ type: 'object' })
  })

  it.each([
    ['{', 'a.json: '],
    ['[]', 'a.json: a schema must be a JSON object'],
  ])('%s is rejected by its name', (text, message) => {
    expect(() => parseSchema('a.json', text)).toThrow(message)
  })
})
