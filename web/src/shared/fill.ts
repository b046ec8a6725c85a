/** A text with places: `{line}` is told by whoever knows. What is not told stays to be seen. */
export function fill(text: string, given: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => given[name] ?? place);
}
