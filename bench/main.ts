import { benchFreshness } from './freshness/freshness.js'
import { benchIngest } from './ingest/ingest.js'
import { benchSlots } from './slots/slots.js'
import { machineFacts } from './support/machine.js'

const BENCHES = { ingest: benchIngest, freshness: benchFreshness, slots: benchSlots }

const asked = process.argv.slice(2)
const unknown = asked.filter(name => !Object.hasOwn(BENCHES, name))
if (unknown.length > 0) {
  console.error(`there is no bench ${unknown.join(', ')}: give ${Object.keys(BENCHES).join(', ')}, or nothing for all`)
  process.exit(1)
}

console.log(`${machineFacts()}\n`)
for (const [name, bench] of Object.entries(BENCHES))
  if (asked.length === 0 || asked.includes(name)) console.log(`${await bench()}\n`)
