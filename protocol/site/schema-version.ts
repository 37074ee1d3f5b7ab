/**
 * A version in the sense of SchemaVer
 * (https://docs.snowplow.io/docs/pipeline-components-and-applications/iglu/common-architecture/schemaver/):
 * `MODEL-REVISION-ADDITION`, from 1-0-0.
 */
export interface SchemaVersion {
  model: number
  revision: number
  addition: number
}

const VERSION = /^([1-9]\d{0,4})-(0|[1-9]\d{0,4})-(0|[1-9]\d{0,4})$/

/** Returns the version that a text names; undefined when it is none. */
export function parseSchemaVersion(text: string): SchemaVersion | undefined {
  const [, model, revision, addition] = VERSION.exec(text) ?? []
  if (model === undefined) return undefined
  return { model: Number(model), revision: Number(revision), addition: Number(addition) }
}

/** Returns texts of versions, oldest first. Others than versions are left out. */
export function sortedVersions(versions: Iterable<string>): string[] {
  return [...versions].filter(version => parseSchemaVersion(version)).sort(compareVersions)
}

/** Returns the newest version of each model, newest model first. */
export function newestOfModels(versions: Iterable<string>): string[] {
  const newest = new Map<number, string>()
  for (const version of sortedVersions(versions)) newest.set(parseSchemaVersion(version)!.model, version)
  return [...newest.values()].reverse()
}

function compareVersions(version: string, other: string): number {
  const [a, b] = [parseSchemaVersion(version)!, parseSchemaVersion(other)!]
  return a.model - b.model || a.revision - b.revision || a.addition - b.addition
}
