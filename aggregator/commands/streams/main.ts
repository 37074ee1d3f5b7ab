import {
  acquireOperatorLock,
  type Installation,
  KINDS,
  type Nats,
  provision,
  runCommand,
  sharedSettings,
} from '@slotstream/runtime'
import { createProfileStore } from '../../profiles/store/profile-store.js'
import { isFrozen, moveStreams } from './move-streams.js'
import { parseArguments } from './parse-arguments.js'

await runCommand('streams', process.env, args => {
  const move = parseArguments(args)
  return async ({ nats, publisher, installation, log, print }) => {
    if (!move) return show(nats, installation, print)
    const done = await acquireOperatorLock(nats, 'streams')
    const breakOff = new AbortController()
    process.once('SIGINT', () => breakOff.abort(new Error('broken off: nothing was changed')))
    const checkpoints = createProfileStore(nats, publisher, installation, log)
    const began = Date.now()
    const fresh = await moveStreams(move, { nats, installation, checkpoints, print, signal: breakOff.signal })
    if (!fresh) print(`there are ${move.count} streams of ${move.kind} already`)
    else {
      await provision(nats, sharedSettings(process.env), log)
      const names = fresh.map(({ name }) => name).join(', ')
      print(`${names}: these take ${move.kind} from message ${fresh[0]!.start} on, after ${Date.now() - began} ms`)
    }
    done()
  }
})

async function show(nats: Nats, { streams, past }: Installation, print: (line: string) => void): Promise<void> {
  for (const kind of KINDS) {
    for (const { name, gone } of past[kind]) if (!gone) await line(name, 'retired')
    for (const { name, first, last } of streams[kind])
      await line(
        name,
        (await isFrozen(nats, name))
          ? 'takes nothing: a move is under way, or was cut short and is to be done again'
          : `partitions ${first} to ${last}`,
      )
  }

  async function line(name: string, what: string): Promise<void> {
    const { messages, bytes } = (await nats.manager.streams.info(name)).state
    print(`${name}: ${what}, ${messages} messages, ${(bytes / 1e6).toFixed(1)} MB`)
  }
}
