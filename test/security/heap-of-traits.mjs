// Prints what parsed texts of several shapes take on the heap, and what `memoryOf` counts for them, per value.
import { memoryOf } from '@slotstream/protocol'

const COUNT = 400
const list = (length, entry) => `{"a":[${Array.from({ length }, (_, place) => entry(place)).join()}]}`

const SHAPES = {
  'empty lists': () => list(300, () => '[]'),
  'empty objects': () => list(300, () => '{}'),
  'objects of one key each': i => list(100, place => `{"x${i}_${place}":1}`),
  'keys of its own': i => `{${Array.from({ length: 100 }, (_, place) => `"k${i}_${place}":1`).join()}}`,
  'many keys of its own': i => `{${Array.from({ length: 900 }, (_, place) => `"q${i}_${place}":{}`).join()}}`,
  'nested lists and objects': i => `{"a${i}":${'[{"b":'.repeat(7)}1${'}]'.repeat(7)}}`,
  fractions: i => list(300, place => String((i + place + 1) / 7)),
  'fractions among texts': () => list(300, place => (place % 2 ? '""' : '1.5')),
  'one text': i => `{"a":"${`é${i}`.padEnd(800, 'x')}"}`,
  'one text beyond Latin-1': i => `{"a":"${`\u4e2d${i}`.padEnd(800, '\u4e2d')}"}`,
  'small texts': i => list(200, place => `"${i}.${place}"`),
}

/** Bytes on the heap, without what was only left over from before. */
function heap() {
  for (let i = 0; i < 4; i++) globalThis.gc()
  return process.memoryUsage().heapUsed
}

function measure([shape, textOf]) {
  // Through bytes: a text that was put together is copied when it is first read.
  const texts = Array.from({ length: COUNT }, (_, i) => Buffer.from(textOf(i)).toString())
  const before = heap()
  const values = texts.map(text => JSON.parse(text))
  const bytes = (heap() - before) / COUNT
  return { shape, heap: bytes, counted: values.reduce((sum, value) => sum + memoryOf(value), 0) / COUNT }
}

// The first time code is compiled, which takes memory too; and what else is done meanwhile can only add to a
// measurement.
Object.entries(SHAPES).map(measure)
const rounds = Array.from({ length: 3 }, () => Object.entries(SHAPES).map(measure))
const least = rounds[0].map((first, shape) => ({ ...first, heap: Math.min(...rounds.map(round => round[shape].heap)) }))
console.log(JSON.stringify(least))
