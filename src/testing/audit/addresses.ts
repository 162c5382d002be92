/** Addresses of actors, taken apart. Owns nothing of what they mean: see src/kernel/stimulus.ts. */

/** The address of the parent: `/` of `/charge:3`. */
export function parentOf(address: string): string {
  const at = address.lastIndexOf('/');
  return at <= 0 ? '/' : address.slice(0, at);
}

/** The address without the number of its life: `/shipping:2/label` of `/shipping:2/label:5`. */
export function placeOf(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf(':')));
}

/** The number of its life, which its tree counts up; NaN where there is none. */
export function lifeOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1) || NaN);
}
