import type { ContentsModel } from './content-model.js'

/** Views and rewards of a list of contents, as columns in its order; 0: unknown. */
export interface ContentColumns {
  views: Float64Array
  rewards: Float64Array
}

/** Columns by model, then by list. They are freed with the model. */
const COLUMNS = new WeakMap<ContentsModel, WeakMap<object, ContentColumns>>()

/**
 * Returns the columns of a list of contents, looked up once for each model and list object, which must not be changed
 * afterwards.
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
