import type { BuiltInDefinitions } from '@slotstream/core'
import { DEFINITION_KINDS, type DefinitionKind, type DefinitionSet } from '@slotstream/protocol'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, objectOf } from '../admin-request.js'
import type { SiteRequest, SiteRouteDeps } from '../route-deps.js'
import type { DefinitionStore } from './definition-store.js'
import { explainDefinition } from './explain-definition.js'
import type { ReadFilledTo } from './filled-to.js'
import { type CheckDefinitions, type PutDefinitions, putDefinitions } from './put-definitions.js'

export interface DefinitionRouteDeps extends SiteRouteDeps {
  definitionStore: DefinitionStore
  checkDefinitions: CheckDefinitions
  /** Definitions that every site has unless its sets say otherwise. */
  builtIn: BuiltInDefinitions
  readFilledTo: ReadFilledTo
}

/** `/sites/:siteId/features`, `…/patterns` and `…/segments`: what an administrator declares about a site's profiles. */
export function addDefinitionRoutes(router: Router, deps: DefinitionRouteDeps): void {
  for (const kind of DEFINITION_KINDS) addKind(router, kind, deps)
}

function addKind(
  router: Router,
  kind: DefinitionKind,
  { siteOf, definitionStore: store, checkDefinitions: check, builtIn, readFilledTo }: DefinitionRouteDeps,
): void {
  const path = `/sites/:siteId/${kind}`
  const putting = () => ({ store, check, builtIn: kind === 'segments' ? [] : builtIn[kind] })

  router.get(path, async (request: SiteRequest, response) => {
    const set = await store.read(siteOf(request).siteId, kind)
    const isWithBuiltIn = request.query.builtin === '1' && kind !== 'segments'
    response.json({ revision: set.revision, [kind]: isWithBuiltIn ? withBuiltIn(set, builtIn[kind]) : set.items })
  })

  router.get(`${path}/:name/explain`, async (request: SiteRequest<'name'>, response) => {
    const { siteId } = siteOf(request)
    const { name } = request.params
    const explanation = await explainDefinition({ store, builtIn, readFilledTo }, siteId, kind, name)
    if (!explanation) throw new Failure('not_found', `there is none of the ${kind} that is called so and in effect`)
    response.json(explanation)
  })

  router.put(path, async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const body = fieldsOf(await objectOf(request), ['revision', kind])
    response.json(answerOf(kind, await putDefinitions(putting(), siteId, kind, body[kind], expected(body))))
  })

  router.get(`${path}/history`, async (request: SiteRequest, response) => {
    const revisions = await store.history(siteOf(request).siteId, kind)
    response.json(revisions.map(({ revision, at }) => ({ revision, at: at.toISOString() })))
  })

  router.get(`${path}/history/:revision`, async (request: SiteRequest<'revision'>, response) => {
    const { siteId } = siteOf(request)
    const { revision, at, items } = await earlier(siteId, Number(request.params.revision))
    response.json({ revision, at, [kind]: items })
  })

  router.post(`${path}/rollback`, async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const { revision } = fieldsOf(await objectOf(request), ['revision'])
    if (!isRevision(revision)) throw new Failure('malformed', 'send {"revision": N}, one of those that …/history lists')
    const { items } = await earlier(siteId, revision)
    response.json(answerOf(kind, await putDefinitions(putting(), siteId, kind, items)))
  })

  async function earlier(siteId: string, revision: number): Promise<DefinitionSet> {
    const set = isRevision(revision) && revision > 0 ? await store.readRevision(siteId, kind, revision) : undefined
    if (!set)
      throw new Failure('not_found', `there is no such revision of the ${kind}: GET …/${kind}/history lists them`)
    return set
  }
}

function answerOf(kind: DefinitionKind, { revision, items, warnings }: PutDefinitions): object {
  return { revision, [kind]: items, ...(warnings.length > 0 && { warnings }) }
}

/** Returns the set, and the built-in ones that it neither overrides nor switches off. */
function withBuiltIn({ items }: DefinitionSet, builtIn: readonly { name: string }[]): object[] {
  const declared = new Set(items.map(({ name }) => name))
  const rest = builtIn.filter(({ name }) => !declared.has(name))
  return [...items, ...rest.map(item => ({ ...item, builtin: true }))]
}

/** @throws Failure when the revision of a body is none */
function expected({ revision }: Record<string, unknown>): number | undefined {
  if (revision === undefined || isRevision(revision)) return revision
  throw new Failure('malformed', 'revision must be a whole number from 0, as the answer to GET has it, or be left out')
}

function isRevision(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
