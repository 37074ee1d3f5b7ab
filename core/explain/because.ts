import type { DrawnPosition, ExplainedStage } from './stages.js'

/** Reasons why the likeliest content is it, by the type of the policy. */
const LIKELIEST: Partial<Record<string, string>> = {
  affinity: "it fits the visitor's interests best",
  contextual: 'it promises the most for this visitor and this request',
  covisitation: "it goes best with the visitor's items",
  default: 'it promises the most',
  ease: "it goes best with the visitor's items",
  ensemble: 'the policy of the ensemble that the visitor belongs to puts it first',
  fixed: "it comes next on the slot's list",
  knn: "it goes best with the visitor's items",
  popular: 'it earns the most',
  thompson: 'it is the likeliest to be the best',
  trending: 'it has earned the most lately',
  weighted: 'its weight is the largest',
}

/** Policies that draw what is less likely for no other reason than chance. */
const BY_CHANCE = ['random', 'weighted']

/** Says why a content has its position. */
export function because(
  policy: string,
  { campaign, isPinned, unlisted }: Pick<ExplainedStage, 'campaign' | 'isPinned' | 'unlisted'>,
  { units, left, isEven, likelier }: DrawnPosition,
  scale: number,
): string {
  if (isPinned) return campaign === undefined ? 'it is pinned' : `the campaign "${campaign}" pins it`
  const by = campaign === undefined ? '' : `the campaign "${campaign}" puts its contents first, and `
  const chance = `(chance ${percent(units / scale)})`
  const isNextOfList = policy === 'fixed' && campaign === undefined && unlisted > 0
  if (left === 1) return isNextOfList ? LIKELIEST.fixed! : `${by}nothing else was left to be shown`
  if (isEven) return `${by}it was drawn at random from ${left}, all equally likely ${chance}`
  if (likelier === 0) return `${by}${LIKELIEST[policy] ?? `the policy "${policy}" puts it first`}, of ${left} ${chance}`
  const were = `${likelier} of ${left} ${likelier === 1 ? 'was' : 'were'} likelier`
  return BY_CHANCE.includes(policy)
    ? `${by}it was drawn at random, although ${were} ${chance}`
    : `${by}it was tried out: ${were}, and policies find out what is good by showing others now and then ${chance}`
}

/** Writes a share in percent. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return 'under 0.1 %'
  if (share < 1 && share >= 0.9995) return 'over 99.9 %'
  return `${Math.round(share * 1_000) / 10} %`
}
