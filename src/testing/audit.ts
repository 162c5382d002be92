/** The public surface of 'rewake/audit': exports only. What looks at the log of a service; needs no testing library. */
export {};
