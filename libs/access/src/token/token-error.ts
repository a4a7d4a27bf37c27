/** A registry token is not good. The message says why, for the log; clients are told only that it is not. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}
