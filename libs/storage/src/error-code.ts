/** The `code` of a system error. Told by its shape: it may stem from another realm, where `instanceof Error` is false. */
export function errorCode(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
