import { isObject } from '../../wire/checks/is-object.js'
import { isWithin } from '../catalog/values.js'
import type { SiteHoldout } from '../catalog.js'
import { isDefinitionName } from '../definitions/name.js'

const FIELDS = ['share', 'tag']

/** Tells whether a value says who is held out of a site. */
export function isSiteHoldout(raw: unknown): raw is SiteHoldout {
  if (!isObject(raw) || !Object.keys(raw).every(field => FIELDS.includes(field))) return false
  return isWithin(raw.share, 0, 1) && (raw.tag === undefined || isDefinitionName(raw.tag))
}
