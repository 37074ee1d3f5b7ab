export { type Choice, decide, isHeldOut } from './decide/decide.js'
export { recompute } from './decide/recompute.js'
export {
  BUILT_IN_FEATURES,
  type BuiltInFeature,
  type CompileWhere,
  compileFeatures,
  DEFAULT_FEATURES,
  type Feature,
  type Features,
  type FeatureValue,
  featureValues,
  mergeStates,
  versionOfFeature,
} from './features/index.js'
export { type SettledLink, settleBrowsers, settleUsers } from './identity/links.js'
export { applyChanges } from './identity/name-users.js'
export { foldPerson, statesOfUser, userOfBrowser } from './identity/person.js'
export { ANONYMOUS_PROFILE_DAYS, hasEnded, isOfOneVisit } from './profile/anonymous-profiles.js'
export { applyAndDetect, applyEnvelope, profileOfLink } from './profile/apply.js'
export { profileBytes } from './profile/profile-size.js'
export { formerSignalIdOf, type HashText, signalIdOf } from './signals/signal-id.js'
