const LONGEST = 2048;

/**
 * What is wrong with an address that somebody wants requests sent to; undefined when nothing is. Whether this server may
 * reach it is only known when it connects.
 */
export function urlFault(text: string): string | undefined {
  if (text.length > LONGEST) return `it has more than ${LONGEST} characters`;
  if (/[\p{Cc}\p{Zs}\p{Zl}\p{Zp}\p{Surrogate}\\]/u.test(text)) return 'it contains spaces, control characters or backslashes';
  if (!/^https?:\/\/[^/?#]/i.test(text) || !URL.canParse(text)) return 'it is not an address such as https://host/path';
  const { username, password, hash } = new URL(text);
  if (username !== '' || password !== '' || /^https?:\/\/[^/?#]*@/i.test(text)) return 'it contains a user name or password';
  return hash === '' ? undefined : 'it contains a fragment (#…)';
}
