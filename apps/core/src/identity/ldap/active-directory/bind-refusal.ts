/** Win32 errors that a domain puts into the diagnostic message of a refused bind ([MS-ADTS] 5.1.1.3, [MS-ERREF] 2.2). */
const REASONS: Readonly<Record<string, string>> = {
  '525': 'the directory does not know the account',
  '52e': 'wrong password',
  '52f': 'the directory has restricted logins of the account',
  '530': 'the directory does not let the account log in at this time',
  '531': 'the directory does not let the account log in from this machine',
  '532': 'the password has expired',
  '533': 'the account is disabled in the directory',
  '534': 'the directory does not grant the account this type of login',
  '568': 'the account is in too many groups for the directory',
  '701': 'the account has expired in the directory',
  '773': 'the password must be changed first, at a computer of the domain',
  '775': 'the account is locked in the directory after too many wrong passwords',
};

const DATA = /\bAcceptSecurityContext error, data ([0-9a-f]{1,8}),/i;
const WRONG_PASSWORD = ['525', '52e'];

/** Why a domain refused a bind. */
export interface BindRefusal {
  /** For the log and for administrators, never for the client: it would tell strangers what accounts there are. */
  readonly reason: string;
  /** Whether it may be a guess at a password, rather than an account that is shut out. */
  readonly wrongPassword: boolean;
}

/** What the diagnostic message of a refused bind says; undefined when no domain wrote it. */
export function bindRefusal(diagnostic: string): BindRefusal | undefined {
  const code = DATA.exec(diagnostic.slice(0, 1_000))?.[1]?.toLowerCase();
  if (code === undefined) return undefined;
  return { reason: REASONS[code] ?? `the directory refused the login with its error ${code}`, wrongPassword: WRONG_PASSWORD.includes(code) };
}
