/** `Prefer: respond-async` among other preferences, RFC 7240; what is not understood is ignored, as it demands. */
export function prefersAsync(header: string | undefined): boolean {
  const unquoted = (header ?? '').replace(/"(?:[^"\\]|\\.)*"/g, '""')
  const preferences = unquoted.split(',').map((preference) => preference.split(';')[0]?.trim().toLowerCase())
  return preferences.includes('respond-async')
}
