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

/** Makes the features of a site's content ready for messages, as `indexFeatures`. */
export function contentFeatures(byName: ReadonlyMap<string, Feature>, rules: readonly EventRule[]): ContentFeatures {
  return { byName, rules, ...indexRules(rules) }
}

const NO_CONTENT_FEATURES = contentFeatures(new Map(), [])

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
  const { ofContent } = features
  const ofPersons = besideFormer(features, former, filledTo)
  const contents = besideFormer(ofContent, former.ofContent, filledTo)
  return indexFeatures(
    features.revision,
    ofPersons.byName,
    ofPersons.rules,
    new Set([...ofPersons.filling, ...contents.filling]),
    contentFeatures(contents.byName, contents.rules),
  )
}

function besideFormer(
  { byName: declared, rules }: Pick<ContentFeatures, 'byName' | 'rules'>,
  former: Pick<ContentFeatures, 'byName' | 'rules'>,
  filledTo: number,
): Pick<ContentFeatures, 'byName' | 'rules'> & { filling: string[] } {
  const counted = new Set([...declared.values()].map(({ version }) => version))
  const filling = [...declared.values()].filter(({ addedIn }) => addedIn > filledTo)
  const byName = new Map(declared)
  const formerVersions = new Set<string>()
  for (const { name, version } of filling) {
    const before = former.byName.get(name)
    if (!before || before.version === version) continue
    byName.set(name, before)
    if (!counted.has(before.version)) formerVersions.add(before.version)
  }
  const ofBefore = former.rules.filter(([, { feature }]) => formerVersions.has(feature.version))
  return { byName, rules: [...rules, ...ofBefore], filling: filling.map(({ name }) => name) }
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
  const newOf = ({ byName, rules }: Pick<ContentFeatures, 'byName' | 'rules'>) =>
    [
      new Map([...byName].filter(([, feature]) => isNew(feature))),
      rules.filter(([, { feature }]) => isNew(feature)),
    ] as const
  return indexFeatures(features.revision, ...newOf(features), undefined, contentFeatures(...newOf(features.ofContent)))
}
