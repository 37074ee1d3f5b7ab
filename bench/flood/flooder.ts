import { createPoster } from '../support/poster.js'
import { floodsOf } from './floods.js'
import type { FlooderAnswer, FlooderCommand } from './start-flooder.js'

const [url = '', writeKey = ''] = process.argv.slice(2)
const floods = floodsOf(createPoster(url, writeKey), url)
let send = async () => new Map<number, number>()

process.on('message', async (command: FlooderCommand) => {
  process.send?.(await follow(command))
})

async function follow(command: FlooderCommand): Promise<FlooderAnswer> {
  if (command.do === 'names') return { names: floods.map(({ name }) => name) }
  if (command.do === 'send') return { answers: [...(await send())] }
  const flood = floods.find(({ name }) => name === command.name)
  if (!flood) throw new Error(`there is no flood "${command.name}"`)
  send = flood.prepare(command.seconds)
  return {}
}
