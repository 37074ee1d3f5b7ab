import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { PROBABILITY_SCALE, seededRandom } from '@slotstream/core'

const CONTENTS = 20

/** Texts that are written at once. */
const BLOCK_ROWS = 10_000

/** The first row's time, and milliseconds between rows. */
const BEGIN = Date.UTC(2026, 0, 1)
const STEP_MS = 100

/** Writes an export of decisions of one content each, drawn by uneven chances among twenty. */
export async function writeLog(file: string, rows: number): Promise<void> {
  const random = seededRandom('evaluate')
  const weights = Array.from({ length: CONTENTS }, (_, content) => content + 1)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const candidates = weights.map((_, content) => [`content${content}`, 1])
  const quoted = `"${JSON.stringify(candidates).replaceAll('"', '""')}"`
  const stream = createWriteStream(file)
  stream.write('decision_id,timestamp,content_id,position,propensity,reward,candidates\n')
  for (let row = 0; row < rows; row += BLOCK_ROWS) {
    let text = ''
    for (let next = row; next < Math.min(rows, row + BLOCK_ROWS); next++) {
      let point = random() * total
      let content = 0
      while (content < CONTENTS - 1 && point >= weights[content]!) point -= weights[content++]!
      const propensity = Math.floor((weights[content]! / total) * PROBABILITY_SCALE) / PROBABILITY_SCALE
      const reward = random() < 0.02 + content / 500 ? 1 : 0
      const time = new Date(BEGIN + next * STEP_MS).toISOString().replace('T', ' ').replace('Z', '')
      const id = `0193${next.toString(16).padStart(28, '0')}`
      text += `"${id}","${time}","content${content}",1,${propensity},${reward},${quoted}\n`
    }
    if (!stream.write(text)) await once(stream, 'drain')
  }
  stream.end()
  await finished(stream)
}
