/** A word in single quotes, as sh, bash and zsh read it. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
