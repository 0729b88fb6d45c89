/** The account every local resource belongs to: 12 digits, as clients insist on. */
export const ACCOUNT_ID = '000000000000'
