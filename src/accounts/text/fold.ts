/**
 * The key under which a text is unique: equal for texts that differ by letter case, compatibility form or width only.
 *
 * Upper then lower case approximates full case folding (`STRASSE` = `straße`, `ΑΣ` = `ας`); one pass leaves a few letters
 * unstable (U+1E9E), so it is repeated until nothing changes. Done here because `lower()` in PostgreSQL depends on the
 * cluster's locale.
 */
export function fold(text: string): string {
  let folded = text
  for (;;) {
    const next = folded.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
    if (next === folded) return folded
    folded = next
  }
}
