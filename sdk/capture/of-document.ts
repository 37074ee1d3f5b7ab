/** Reads a property of the document by its own getter: an element that is named like it, such as a form, hides it. */
export const ofDocument = <K extends keyof Document>(name: K): Document[K] =>
  Reflect.get(Document.prototype, name, document)
