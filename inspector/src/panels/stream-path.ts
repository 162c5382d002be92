/** The path of what the server says of a stream. */
export function streamPath(stream: string, rest: string): string {
  return `/streams/${encodeURIComponent(stream)}${rest}`;
}
