import { describe, expect, it } from 'vitest'
import { linesOf, readTable } from '#sources/open-bandit/csv.js'
import { collect } from './collect.js'

async function* pieces(...texts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === 'string' ? new TextEncoder().encode(text) : text
}

const table = (text: string, needed = ['a']) => collect(readTable(linesOf(pieces(text)), needed, 'log.csv'))

describe('linesOf', () => {
  it('joins lines that come in pieces, also inside a character', async () => {
    const [first, second] = ['é'.charCodeAt(0), 0].map((_, i) => new TextEncoder().encode('é').subarray(i, i + 1))
    expect(await collect(linesOf(pieces('a,', first!, second!, ',b\nc')))).toEqual(['a,é,b', 'c'])
  })

  it('takes away line ends of both kinds and the byte order mark', async () => {
    expect(await collect(linesOf(pieces('\ufeffa\r', '\nb\n')))).toEqual(['a', 'b'])
  })
})

describe('readTable', () => {
  it('gives fields by column and the number of the line', async () => {
    expect(await table(',a,b\n0,x,1\n\n1,y,2\n')).toEqual([
      { line: 2, fields: { '': '0', a: 'x', b: '1' } },
      { line: 4, fields: { '': '1', a: 'y', b: '2' } },
    ])
  })

  it.each([
    ['a missing column', 'b,c\n1,2\n', /log\.csv has no column a/],
    ['a line that was cut short', 'a,b\n1,2\n3', /log\.csv:3 has 1 fields, the header 2/],
    ['a quoted field', 'a,b\n"1,1",2\n', /log\.csv:2 has a quoted field/],
    ['an empty file', '', /log\.csv is empty/],
  ])('refuses %s and says where', async (_name, text, message) => {
    await expect(table(text)).rejects.toThrow(message)
  })
})
