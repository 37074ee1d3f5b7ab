import { afterEach, expect, it, vi } from 'vitest'
import { openPage } from '../page.js'

let page: Awaited<ReturnType<typeof openPage>>

afterEach(() => {
  page.close()
  localStorage.clear()
  vi.unstubAllGlobals()
})

it('a form that is sent is known by id and name, and by nothing it holds', async () => {
  page = await openPage(
    { forms: true },
    `<form id="sign-up" name="newsletter"><input name="name" value="Ann" /><input name="id" value="secret" /></form>
     <form><input name="q" value="secret" /></form>
     <section data-no-track><form id="private"></form></section>`,
  )
  for (const form of document.querySelectorAll('form'))
    form.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }))
  expect(page.tracked.map(({ event, properties }) => [event, properties])).toEqual([
    ['Form Submitted', { formId: 'sign-up', formName: 'newsletter' }],
    ['Form Submitted', {}],
  ])
})
