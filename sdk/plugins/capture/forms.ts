import type { PluginApi } from '../../client/plugin-api.js'

/** Tracks `Form Submitted` {formId, formName}. What the form holds isn't looked at. */
export function forms({ track, listeners }: PluginApi): () => void {
  listeners.on(
    window,
    'submit',
    event => {
      const form = event.composedPath()[0] as HTMLFormElement
      if (form.closest('[data-no-track]')) return
      // By attribute: a field that is called "id" or "name" hides the form's own property.
      const [formId, formName] = ['id', 'name'].map(name => form.getAttribute(name) ?? undefined)
      track('Form Submitted', { formId, formName })
    },
    { capture: true },
  )
  return () => {}
}
