// @ts-check
import { byId, el } from './dom.js'
import { forgetVisitor, ready } from './slotstream.js'
import { stored } from './stored.js'

/** @typedef {{ name: string, email: string }} Person */

const person = stored('localStorage', 'fellbrook-person', /** @type {Person | null} */ (null))

/** Forgets who is signed in. */
export const signOut = () => person.write(null)

/** Asks for a name and an address: any will do, there is nothing to check them against. */
function signInDialog() {
  const name = el('input', { id: 'sign-in-name', name: 'name', autocomplete: 'given-name', required: '' })
  const email = el('input', { id: 'sign-in-email', name: 'email', type: 'email', autocomplete: 'email', required: '' })
  const cancel = el('button', { type: 'button', class: 'button quiet' }, 'Not now')
  const form = el(
    'form',
    { method: 'dialog', class: 'stack' },
    el('h2', { id: 'sign-in-title' }, 'Good to see you'),
    el(
      'p',
      { class: 'muted' },
      'Any name and address will do. This is a demo shop: nothing is checked, no mail is sent.',
    ),
    el('label', { for: 'sign-in-name' }, 'First name'),
    name,
    el('label', { for: 'sign-in-email' }, 'Email'),
    email,
    el('div', { class: 'row' }, el('button', { class: 'button' }, 'Sign in'), cancel),
  )
  const dialog = el('dialog', { 'aria-labelledby': 'sign-in-title' }, form)
  cancel.addEventListener('click', () => dialog.close())
  form.addEventListener('submit', async () => {
    const signedIn = { name: name.value.trim(), email: email.value.trim().toLowerCase() }
    person.write(signedIn)
    showAccount()
    const slotstream = await ready()
    slotstream.identify(signedIn.email, signedIn)
  })
  document.body.append(dialog)
  return dialog
}

function showAccount() {
  const signedIn = person.read()
  byId('account-label').textContent = signedIn ? `Sign out ${signedIn.name}` : 'Sign in'
}

/** Brings the header's account button to life. */
export function startAccount() {
  showAccount()
  /** @type {HTMLDialogElement | undefined} */
  let dialog
  byId('account').addEventListener('click', async () => {
    if (person.read()) {
      signOut()
      showAccount()
      await forgetVisitor()
    } else {
      dialog ??= signInDialog()
      dialog.showModal()
    }
  })
}
