import type { Operator } from '../compilation.js'
import { gt, gte, lt, lte } from './comparisons.js'
import { elemMatch, size } from './elements.js'
import { eq, ne } from './equality.js'
import { all, allInAnyCase, isIn, isInAnyCase, isInGroup, isNotIn, isNotInAnyCase, isNotInGroup } from './lists.js'
import { regex, regexInAnyCase } from './matching.js'
import { not } from './negation.js'
import { exists, type } from './presence.js'
import { versionEq, versionGt, versionGte, versionLt, versionLte, versionNe } from './versions.js'

/** Operators that stand below a path. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  $eq: eq,
  $ne: ne,
  $lt: lt,
  $lte: lte,
  $gt: gt,
  $gte: gte,
  $in: isIn,
  $nin: isNotIn,
  $ini: isInAnyCase,
  $nini: isNotInAnyCase,
  $all: all,
  $alli: allInAnyCase,
  $regex: regex,
  $regexi: regexInAnyCase,
  $exists: exists,
  $type: type,
  $size: size,
  $elemMatch: elemMatch,
  $not: not,
  $veq: versionEq,
  $vne: versionNe,
  $vlt: versionLt,
  $vlte: versionLte,
  $vgt: versionGt,
  $vgte: versionGte,
  $inGroup: isInGroup,
  $notInGroup: isNotInGroup,
}

/** Operators that stand beside paths. */
export const LOGICAL = ['$and', '$or', '$nor', '$not'] as const
