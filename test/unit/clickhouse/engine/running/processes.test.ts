import { describe, expect, it } from 'vitest'
import type { EngineConnection, EngineResult } from '#clickhouse/engine/connections/connections.js'
import { createLook, readProcesses } from '#clickhouse/engine/running/processes.js'

describe('a look at system.processes', () => {
  it('is read by the id of the connection, whole numbers of any size as they are', () => {
    const text = '["a","1","2","3","4","18446744073709551615","6","7"]\n["","0","0","0","0","0","0","0"]\n'
    expect(readProcesses(text).get('a')).toEqual({
      read_rows: '1',
      read_bytes: '2',
      written_rows: '3',
      written_bytes: '4',
      total_rows_to_read: '18446744073709551615',
      elapsed_ns: '6',
      memory_usage: '7',
    })
    expect(readProcesses('').size).toBe(0)
  })

  it('is one at a time, however many ask, and a failed one is over', async () => {
    const asked: { answer: (text: string) => void; fail: () => void }[] = []
    const queryAsync: EngineConnection['queryAsync'] = () =>
      new Promise((resolve, reject) => {
        asked.push({
          answer: text => resolve({ text: () => text } as EngineResult),
          fail: () => reject(new Error('no')),
        })
      })
    const look = createLook({ queryAsync, close: () => {} })
    const both = [look(), look()]
    expect(asked).toHaveLength(1)
    asked[0]!.answer('["a","1","2","3","4","5","6","7"]\n')
    for (const processes of await Promise.all(both)) expect([...processes.keys()]).toEqual(['a'])

    const failing = look()
    expect(asked).toHaveLength(2)
    asked[1]!.fail()
    await expect(failing).rejects.toThrow('no')
    look()
    expect(asked).toHaveLength(3)
  })
})
