import { textSetting } from '@slotstream/runtime'
import { obtainChromium } from './chromium.js'
import { obtainNatsServer } from './nats-server.js'

// Prints where the named programs are, one path a line, after obtaining those that are missing:
//   node supervisor/dist/obtain/main.js nats-server chromium
const ways = new Map([
  ['nats-server', obtainNatsServer],
  ['chromium', obtainChromium],
])
const names = process.argv.slice(2)
const unknown = names.filter(name => !ways.has(name))
if (names.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`Unknown: ${unknown.join(', ')}`)
  console.error(`Name the programs to obtain: ${[...ways.keys()].join(', ')}`)
  process.exit(2)
}
const dataDir = textSetting('DATA_DIR')
// Progress goes to standard error, so that standard output holds nothing but paths.
const log = (text: string) => console.error(text)
for (const name of names) {
  try {
    console.log(await ways.get(name)!({ dataDir, log }))
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
