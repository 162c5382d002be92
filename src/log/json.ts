/** What JSON text can say. Owns the type only; which values become which JSON is decided in codec.ts. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
