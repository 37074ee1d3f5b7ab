import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseArguments } from '#cli/plan/parse-arguments.js'
import { runCommand } from '#cli/plan/run-command.js'
import { readSchemas } from '#cli/plan/schema-folder.js'
import { writeSchemas } from '#cli/plan/write-schemas.js'
import { putSite, startBroker } from '../support/collector.js'

const EXAMPLE = fileURLToPath(new URL('../../examples/schemas', import.meta.url))

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string
let folder: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  folder = await mkdtemp(join(tmpdir(), 'slotstream-plan-'))
  await putSite(url, 'shop')
})
afterAll(async () => {
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** What a command says, and how it fails. */
async function plan(...args: string[]): Promise<{ said: string; failed: string | undefined }> {
  const said: string[] = []
  const order = parseArguments([...args, '--site', 'shop', '--collector', url], {})
  const failed = await runCommand(order, { ADMIN_TOKEN: 'secret' }, line => said.push(line)).then(
    () => undefined,
    (error: Error) => error.message,
  )
  return { said: said.join('\n'), failed }
}

async function send(properties: object) {
  const message = { type: 'track', event: 'Product Viewed', anonymousId: 'v', properties }
  const response = await fetch(`${url}/v1/track?writeKey=shop`, { method: 'POST', body: JSON.stringify(message) })
  return response.json()
}

describe('the plan command', () => {
  it('publishes a folder, lists it, changes its mode, and gets it back', async () => {
    expect((await plan('list')).said).toBe('There is no plan.')
    const dry = await plan('push', '--schemas', EXAMPLE, '--dry-run')
    expect(dry.said).toContain('+ Product Viewed 1-0-1')
    expect(dry.said).toContain('it was a dry run')
    expect((await plan('list')).said).toBe('There is no plan.')

    const pushed = await plan('push', '--schemas', EXAMPLE)
    expect(pushed.failed).toBeUndefined()
    expect(pushed.said).toMatch(/shop: revision \d+, mode off\nNothing is checked yet/)
    expect((await plan('push', '--schemas', EXAMPLE)).said).toContain('Nothing to publish')
    expect((await plan('list')).said).toMatch(/^Order Completed +1-0-0 +2-0-0$/m)
    expect((await plan('list')).said).toMatch(/^Product Viewed +\(1-0-0\) +1-0-1$/m)

    expect((await plan('mode', 'enforce')).said).toContain('mode enforce')
    expect(await send({ product_id: 'p', price: '3' })).toMatchObject({ rejected: [{ path: '$.properties.price' }] })
    expect(await send({ product_id: 'p', price: 3 })).toMatchObject({ accepted: 1 })

    expect((await plan('pull', '--schemas', folder)).said).toContain(join(folder, 'Product Viewed', '1-0-1.json'))
    expect(await readSchemas(folder)).toEqual(await readSchemas(EXAMPLE))
    expect((await plan('pull', '--schemas', folder)).said).toBe('The folder has everything that is published.')
  })

  it('keeps what the folder does not have, unless it is to be pruned', async () => {
    await rm(join(folder, 'Order Completed', '1-0-0.json'))
    expect((await plan('push', '--schemas', folder)).said).toContain("1 version that the folder doesn't have: kept")
    const pruned = await plan('push', '--schemas', folder, '--prune')
    expect(pruned.said).toContain('- Order Completed 1-0-0')
    expect((await plan('list')).said).toMatch(/^Order Completed +2-0-0$/m)
  })

  it('publishes nothing that would surprise anybody, unless it is forced to', async () => {
    await writeSchemas(folder, { 'Product Viewed': { '1-0-2': { type: 'object', required: ['sku'] } } })
    const wrong = await plan('push', '--schemas', folder)
    expect(wrong.failed).toContain('Product Viewed 1-0-2 says addition, is model of 1-0-1: call it 2-0-0')
    expect(wrong.failed).toContain('nothing was published')
    await rm(join(folder, 'Product Viewed', '1-0-2.json'))

    await rm(join(folder, 'Product List Viewed', '1-0-0.json'))
    await writeSchemas(folder, { 'Product List Viewed': { '1-0-0': { type: 'object' } } })
    const rewritten = await plan('push', '--schemas', folder)
    expect(rewritten.failed).toContain('Product List Viewed 1-0-0 is published with other content')
    expect((await plan('push', '--schemas', folder, '--force')).failed).toBeUndefined()
  })

  it('says what is wrong when it cannot do its work', async () => {
    const nowhere = ['--site', 'shop', '--collector', 'http://127.0.0.1:9']
    const order = parseArguments(['list', ...nowhere], {})
    await expect(runCommand(order, { ADMIN_TOKEN: 'secret' }, () => {})).rejects.toThrow(
      'no answer from http://127.0.0.1:9',
    )
    await expect(runCommand(order, { DATA_DIR: folder }, () => {})).rejects.toThrow('no admin token')
    const unknown = parseArguments(['list', '--site', 'nobody', '--collector', url], {})
    await expect(runCommand(unknown, { ADMIN_TOKEN: 'secret' }, () => {})).rejects.toThrow('there is no site nobody')
    await expect(runCommand(unknown, { ADMIN_TOKEN: 'wrong' }, () => {})).rejects.toThrow('send the admin token')
  })
})
