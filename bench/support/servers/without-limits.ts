/** Settings of collectors that take as much from one address as they can: for benches of what that is. */
export const WITHOUT_LIMITS = {
  RATE_LIMIT_ADDRESS_MESSAGES: '0',
  RATE_LIMIT_ADDRESS_VISITORS: '0',
  RATE_LIMIT_SITE_MESSAGES: '0',
  RATE_LIMIT_SITE_VISITORS: '0',
}
