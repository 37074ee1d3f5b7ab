import { readFileSync } from 'node:fs'

/** Gives a new installation its demo site. One that has contents already keeps them as they are. */
export async function seedDemo(collectorUrl: string, adminToken: string): Promise<void> {
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${collectorUrl}/v1/admin${path}`, {
      method,
      headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (!response.ok)
      throw new Error(`${method} /v1/admin${path} was answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  const { sites } = (await call('GET', '/sites')) as { sites: { siteId: string }[] }
  if (!sites.some(site => site.siteId === 'demo'))
    await call('PUT', '/sites/demo', {
      siteId: 'demo',
      name: 'Demo shop',
      writeKeys: ['demo'],
      allowedOrigins: ['*'],
      debug: true,
    })
  const { slots, content } = (await call('GET', '/sites/demo/catalog')) as { slots: unknown[]; content: unknown[] }
  if (slots.length > 0 || content.length > 0) return
  const catalog = new URL('../../../examples/demo/catalog.json', import.meta.url)
  await call('POST', '/sites/demo/catalog', JSON.parse(readFileSync(catalog, 'utf8')))
}
