/** A request for the features of a content. */
export interface ContentFeaturesRequest {
  siteId: string
  contentId: string
}

/** The features of a content, by name. */
export interface ContentFeaturesReply {
  features: Record<
    string,
    {
      /** In all slots together; by key for a feature by key. Null: nothing that it could be computed of was counted */
      value: number | Record<string, number> | null
      /** In each slot; '' for messages that name none. */
      slots: Record<string, number | Record<string, number> | null>
      /** Version of the definition. Absent: it is made of others */
      version?: string
      /** More keys, or more sums of the content, than are kept: a part of them is left out. Absent: none is */
      approximate?: true
      /** The history of the feature is being counted. Until then the value is that of its former definition, if any. */
      filling?: true
    }
  >
}
