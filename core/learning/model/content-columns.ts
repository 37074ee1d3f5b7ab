import type { ContentsModel } from './content-model.js'

/** What is known of the contents of a list, as columns in its order: 0 where nothing is. */
export interface ContentColumns {
  views: Float64Array
  rewards: Float64Array
}

/** Columns by model, then by list. They go when the model does, which is with its next version. */
const COLUMNS = new WeakMap<ContentsModel, WeakMap<object, ContentColumns>>()

/**
 * Returns what a model knows of contents, looked up once for each model and list, which must not be changed afterwards.
 */
export function columnsOf(model: ContentsModel, contents: readonly { id: string }[]): ContentColumns {
  const ofModel = COLUMNS.get(model) ?? new WeakMap<object, ContentColumns>()
  COLUMNS.set(model, ofModel)
  const cached = ofModel.get(contents)
  if (cached) return cached
  const columns = {
    views: Float64Array.from(contents, ({ id }) => model.byId.get(id)?.views ?? 0),
    rewards: Float64Array.from(contents, ({ id }) => model.byId.get(id)?.rewards ?? 0),
  }
  ofModel.set(contents, columns)
  return columns
}
