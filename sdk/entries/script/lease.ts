/** Taking turns without Web Locks, for the script tag. */
export { createLease as lease } from '../../delivery/send/lease.js'
