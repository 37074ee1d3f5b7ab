import { Validator } from '@seriousme/openapi-schema-validator'
import type { Router } from 'express'
import { describe, expect, it } from 'vitest'
import { adminRoutes } from '#collector/admin/routes.js'
import { createApp, type Mounted } from '#collector/http/app.js'
import { writeKeyRoutes } from '#collector/http/routes.js'
import { createMessageMemory } from '#collector/micro/message-memory.js'
import { MICRO_PATHS } from '#collector/micro/micro-paths.js'
import { microRoutes } from '#collector/micro/micro-routes.js'
import { ADMIN_PATHS } from '#collector/openapi/admin-paths.js'
import { openApiDocument } from '#collector/openapi/document.js'

/** Making a route uses none of its parts; only answering does. */
const nothing = {} as never
const routes = writeKeyRoutes(nothing)
const METHODS = ['get', 'put', 'patch', 'post', 'delete']

/** What Express keeps of a route. */
interface Layer {
  route?: { path: string | RegExp; methods: Record<string, boolean> }
}

/** Routes of a router as OpenAPI writes them: `put /v1/admin/sites/{siteId}`. */
function routesOf({ stack }: { stack: Layer[] }, below = ''): string[] {
  return stack.flatMap(({ route }) => {
    if (typeof route?.path !== 'string') return []
    const path = `${below}${route.path}`.replace(/(?<!\\):(\w+)/g, '{$1}').replaceAll('\\', '')
    const methods = METHODS.filter(method => route.methods[method])
    // All methods at once is how a path says which single one it takes.
    return methods.length === METHODS.length ? [] : methods.map(method => `${method} ${path}`)
  })
}

function realRoutes(mounted: Mounted[]): string[] {
  const app = createApp({
    sites: nothing,
    metrics: nothing,
    routes,
    mounted: () => mounted,
    demoDir: '',
    sdkFile: '',
    publicFeatures: nothing,
    ready: () => true,
    missing: () => [],
    trustProxy: [],
    trusts: () => false,
    gate: nothing,
    showsMetrics: () => true,
    sendFailure: async () => {},
  })
  const own = routesOf(app.router as unknown as { stack: Layer[] })
  return [...own, ...mounted.flatMap(({ path, router }) => routesOf(router as unknown as { stack: Layer[] }, path))]
}

function describedRoutes(mounted: Mounted[]): string[] {
  const document = openApiDocument(routes, Object.assign({}, ...mounted.map(({ described }) => described)))
  return Object.entries(document.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations)
      .filter(method => method !== 'parameters')
      .map(method => `${method} ${path}`),
  )
}

const admin: Mounted = {
  path: '/v1/admin',
  router: adminRoutes({ pipeline: () => {} } as never),
  described: ADMIN_PATHS,
}
const micro: Mounted = {
  path: '/micro',
  router: microRoutes(createMessageMemory({ maxMessages: 1, maxBytes: 1 }), { use() {} }) as Router,
  described: MICRO_PATHS,
}

describe.each([
  ['the collector', admin],
  ['the small collector', micro],
])('the description of %s', (_name, mounted) => {
  it('names every route there is, and none that is not', () => {
    const described = describedRoutes([mounted])
    expect(described.toSorted()).toEqual(realRoutes([mounted]).toSorted())
    expect(described.length).toBeGreaterThan(20)
  })

  it('is OpenAPI by the official schema, and every reference leads somewhere', async () => {
    const document = openApiDocument(routes, mounted.described)
    const { valid, errors } = await new Validator().validate(structuredClone(document))
    expect(errors ?? []).toEqual([])
    expect(valid).toBe(true)
    const { schemas } = document.components as { schemas: object }
    const named = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter(name => !Object.hasOwn(schemas, name!))).toEqual([])
  })

  it('gives every parameter of a path its meaning', () => {
    const paths = openApiDocument(routes, mounted.described).paths as Record<string, Record<string, Described>>
    for (const [path, operations] of Object.entries(paths)) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const shared = (operations.parameters as unknown as Parameter[] | undefined) ?? []
      for (const method of Object.keys(operations).filter(name => name !== 'parameters')) {
        const own = operations[method]?.parameters ?? []
        const given = [...shared, ...own].filter(parameter => parameter.in === 'path').map(({ name }) => name)
        expect(given, `${method} ${path}`).toEqual(wanted)
      }
    }
  })
})

interface Parameter {
  name: string
  in: string
}

interface Described {
  parameters?: Parameter[]
}
