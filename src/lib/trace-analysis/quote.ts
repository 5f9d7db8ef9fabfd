/** What was recorded, quoted in a line of ours: bounded, whatever its length. */
export function quote(text: string): string {
  return text.length > 120 ? `${text.slice(0, 100)}…` : text;
}
