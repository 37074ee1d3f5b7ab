import type { Detector } from './detector.js'

/**
 * A category leads only with at least this: three product views within a day, or one product in the cart. It isn't 3,
 * because of three views that are seconds apart the first two are worth a little less than 1 each.
 */
export const EVIDENCE = 2.8

/**
 * How many times as strong as the one that led a category has to be to take its place. Without a margin, whoever
 * looks at two things in turns would shift with every click; with one, each shift back needs half as much again.
 */
export const MARGIN = 1.5

/** The category that leads the visitor's interests is another one than before. The first one to lead is no shift. */
export const interestShift: Detector<string> = ({ before, after }, leading) => {
  const { affinities } = after
  if (affinities === before?.affinities) return { memory: leading }
  const [to, strength] = strongest(affinities)
  if (to === leading || strength < EVIDENCE) return { memory: leading }
  if (leading === undefined) return { memory: to }
  const left = Object.hasOwn(affinities, leading) ? affinities[leading]! : 0
  if (strength < MARGIN * left) return { memory: leading }
  return {
    memory: to,
    details: { from: leading, to, from_affinity: rounded(left), to_affinity: rounded(strength) },
  }
}

function strongest(affinities: Record<string, number>): [category: string, affinity: number] {
  let category = ''
  let most = 0
  for (const name in affinities)
    if (affinities[name]! > most) {
      category = name
      most = affinities[name]!
    }
  return [category, most]
}

function rounded(affinity: number): number {
  return Math.round(affinity * 1000) / 1000
}
