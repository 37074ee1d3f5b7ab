import { describe, expect, it } from 'vitest'
import { createProgress, progressLine } from '#sources/progress.js'

function output(isTTY: boolean) {
  const written: string[] = []
  return { isTTY, written, write: (text: string) => void written.push(text) }
}

describe('progressLine', () => {
  it('shows the share, the rows and the speed', () => {
    expect(progressLine(5_000, 10_000, 2_000)).toBe(
      '███████████████░░░░░░░░░░░░░░░  50 %  5,000 of 10,000 rows, 2,500/s',
    )
    expect(progressLine(0, 0, 0)).toContain('100 %')
  })
})

describe('createProgress', () => {
  it('redraws one line on a terminal, and leaves it at the end', () => {
    const terminal = output(true)
    const progress = createProgress(2, terminal, () => 0)
    progress.add(1)
    progress.add(1)
    progress.end()
    expect(terminal.written.map(text => text[0])).toEqual(['\r', '\r', '\n'])
  })

  it('prints a plain line now and then elsewhere, and always the last', () => {
    const file = output(false)
    let now = 0
    const progress = createProgress(4, file, () => now)
    progress.add(1)
    now = 5_000
    progress.add(1)
    progress.add(1)
    progress.add(1)
    progress.end()
    expect(file.written).toHaveLength(2)
    expect(file.written.every(text => text.endsWith('/s\n') && !text.includes('\r'))).toBe(true)
    expect(file.written[1]).toContain('100 %')
  })
})
