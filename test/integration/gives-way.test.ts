import { mkdtempSync, rmSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { supervise } from '#supervisor/process/supervised.js'

it('gives a service the lowest priority when it gives way, and not before', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slotstream-supervised-'))
  const asked = vi.fn(async () => asked.mock.calls.length > 2)
  let pid = 0
  const service = supervise(
    {
      name: 'sleeper',
      command: 'sleep',
      args: ['60'],
      env: { PATH: process.env.PATH },
      logFile: join(folder, 'sleeper.log'),
      isReady: async () => true,
      answers: async () => true,
      ours: false,
      givesWay: asked,
    },
    {
      started: (_name, startedPid) => {
        pid = startedPid
      },
      ready: () => {},
      died: () => {},
      stuck: () => {},
    },
  )
  try {
    await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(2), 20_000)
    expect(getPriority(pid)).toBe(getPriority())
    await vi.waitFor(() => expect(getPriority(pid)).toBe(19), 20_000)
  } finally {
    await service.stop()
    rmSync(folder, { recursive: true })
  }
})
