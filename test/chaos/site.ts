import { until } from '../support/until.js'
import type { ChaosInstallation } from './installation.js'

/** Gives the installation a site with one slot, and waits until every collector knows it. */
export async function setUpSite({ admin, collectors }: ChaosInstallation): Promise<void> {
  await admin('PUT', '/sites/chaos', { siteId: 'chaos', name: 'Chaos', writeKeys: ['chaos'], allowedOrigins: ['*'] })
  await admin('POST', '/sites/chaos/catalog', {
    slots: [{ id: 'hero', policy: { type: 'affinity', exploration: 0.1 }, count: 1 }],
    content: Array.from({ length: 4 }, (_, index) => ({
      id: `content-${index}`,
      slots: ['hero'],
      category: `category-${index}`,
      payload: { title: `Content ${index}` },
    })),
  })
  for (const { name, url } of collectors)
    await until(
      `${name} knows the site`,
      async () => (await fetch(`${url}/v1/projects/chaos/settings`)).status,
      status => status === 200,
    )
}
