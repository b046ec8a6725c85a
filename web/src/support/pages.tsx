/** To be filled. */
export function Pages() {
  return null;
}
