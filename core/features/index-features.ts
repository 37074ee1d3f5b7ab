import { ANY_EVENT } from '../conditions/event-name.js'
import type { ContentFeatures, EventRule, Feature, Features, Rule } from './feature.js'

/**
 * Makes the features of a site ready for messages.
 *
 * @param byName features that are served
 * @param rules of all that are counted, each feature under its own version
 * @param filling see `Features`. Default: none
 * @param ofContent see `Features`. Default: none
 */
export function indexFeatures(
  revision: number,
  byName: ReadonlyMap<string, Feature>,
  rules: readonly EventRule[],
  filling: ReadonlySet<string> = new Set(),
  ofContent: ContentFeatures = NO_CONTENT_FEATURES,
): Features {
  const counted = [...byName.values(), ...rules.map(([, { feature }]) => feature)]
  const byVersion = new Map(counted.map(feature => [feature.version, feature]))
  return { revision, byName, byVersion, rules, ...indexRules(rules), ofContent, filling }
}

const NO_CONTENT_FEATURES: ContentFeatures = { byName: new Map(), rulesByEvent: new Map(), rulesOfAny: [] }

/** Returns rules by the name of the event, those of every message among them. */
export function indexRules(rules: readonly EventRule[]): Pick<Features, 'rulesByEvent' | 'rulesOfAny'> {
  const byEvent = new Map<string, Rule[]>()
  for (const [event, rule] of rules) {
    const sameEvent = byEvent.get(event)
    if (sameEvent) sameEvent.push(rule)
    else byEvent.set(event, [rule])
  }
  const rulesOfAny = byEvent.get(ANY_EVENT) ?? []
  byEvent.delete(ANY_EVENT)
  return {
    rulesByEvent: new Map([...byEvent].map(([event, ofEvent]) => [event, [...ofEvent, ...rulesOfAny]])),
    rulesOfAny,
  }
}

/**
 * Returns a site's features while the history of those that are new is counted: of a name that was declared otherwise
 * before, the former feature goes on and is served.
 *
 * @param former what was declared in the revision `filledTo`, whose history is counted
 */
export function withFormer(features: Features, former: Features, filledTo: number): Features {
  const filling = [...features.byName.values()].filter(({ addedIn }) => addedIn > filledTo)
  const byName = new Map(features.byName)
  const kept = new Set<string>()
  for (const { name, version } of filling) {
    const before = former.byName.get(name)
    if (!before || before.version === version) continue
    byName.set(name, before)
    if (!features.byVersion.has(before.version)) kept.add(before.version)
  }
  const rules = former.rules.filter(([, { feature }]) => kept.has(feature.version))
  return indexFeatures(
    features.revision,
    byName,
    [...features.rules, ...rules],
    new Set(filling.map(({ name }) => name)),
    features.ofContent,
  )
}

/** Returns a site's features with one of them alone, as it is counted now; none where there is no such feature. */
export function featureAlone(features: Features, name: string): Features {
  const feature = features.byName.get(name)
  if (!feature) return indexFeatures(features.revision, new Map(), [])
  const rules = features.rules.filter(([, rule]) => rule.feature.version === feature.version)
  return indexFeatures(features.revision, new Map([[name, feature]]), rules)
}

/** Returns those of a site's features that came after a revision, for messages of before. */
export function featuresAfter(features: Features, revision: number): Features {
  const isNew = ({ addedIn }: Feature) => addedIn > revision
  return indexFeatures(
    features.revision,
    new Map([...features.byName].filter(([, feature]) => isNew(feature))),
    features.rules.filter(([, { feature }]) => isNew(feature)),
    undefined,
    features.ofContent,
  )
}
