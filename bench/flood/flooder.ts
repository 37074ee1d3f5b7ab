import { createPoster } from '../support/poster.js'
import { floodsOf } from './floods.js'
import type { FlooderAnswer, FlooderOrder } from './start-flooder.js'

const [url = '', writeKey = ''] = process.argv.slice(2)
const floods = floodsOf(createPoster(url, writeKey), url)
let send = async () => new Map<number, number>()

process.on('message', async (order: FlooderOrder) => {
  process.send?.(await follow(order))
})

async function follow(order: FlooderOrder): Promise<FlooderAnswer> {
  if (order.do === 'names') return { names: floods.map(({ name }) => name) }
  if (order.do === 'send') return { answers: [...(await send())] }
  const flood = floods.find(({ name }) => name === order.name)
  if (!flood) throw new Error(`there is no flood "${order.name}"`)
  send = flood.prepare(order.seconds)
  return {}
}
