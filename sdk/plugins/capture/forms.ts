import type { PluginApi } from '../../client/plugin-api.js'

/** Tracks `Form Submitted` {formId, formName}. The form's content isn't read. */
export function forms({ track, listeners }: PluginApi): () => void {
  listeners.on(
    window,
    'submit',
    event => {
      // A field that is named as a method hides that of the form.
      const form = event.composedPath()[0] as HTMLFormElement
      if (Element.prototype.closest.call(form, '[data-no-track]')) return
      // By attribute: a field that is called "id" or "name" hides the form's own property.
      const [formId, formName] = ['id', 'name'].map(name => form.getAttribute(name) ?? undefined)
      track('Form Submitted', { formId, formName })
    },
    { capture: true },
  )
  return () => {}
}
