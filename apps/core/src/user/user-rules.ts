import { Problem } from '@haven/api';

/** What no user name may hold: these separate things elsewhere; "$" belongs to robots, ":" ends a name in Basic authentication. */
const FORBIDDEN_IN_NAMES = /[,"~#%$:]|\p{Cc}/u;
/** The same without the colon: a real name is only shown. */
const FORBIDDEN_IN_TEXTS = /[,"~#%$]|\p{Cc}/u;
const EMAIL = /^[^\s@,"<>]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/;
const LONGEST_COMMENT = 30;

/** @param robotPrefix what robots' login names begin with: no person's may, or one could be taken for the other */
export function requireGoodUsername(name: string, robotPrefix: string): void {
  const good = name.length >= 1 && name.length <= 255 && name.trim() === name && !FORBIDDEN_IN_NAMES.test(name);
  if (!good) throw new Problem('BAD_REQUEST', 'username must have 1 to 255 characters, no space around it and none of , " ~ # % $ : in it');
  if (name.startsWith(robotPrefix)) throw new Problem('BAD_REQUEST', `names that begin with ${robotPrefix} belong to robots; choose another username`);
}

/** Checks what a profile says of a person; absent parts are left alone. */
export function requireGoodProfile({ email, realname, comment }: { readonly email?: string | undefined; readonly realname?: string | undefined; readonly comment?: string | undefined }): void {
  if (email !== undefined && email !== '' && !EMAIL.test(email)) throw new Problem('BAD_REQUEST', 'email is not an address like name@example.org');
  if (realname !== undefined && FORBIDDEN_IN_TEXTS.test(realname)) throw new Problem('BAD_REQUEST', 'realname may hold none of , " ~ # % $');
  if (comment !== undefined && comment.length > LONGEST_COMMENT) throw new Problem('BAD_REQUEST', `comment may have at most ${LONGEST_COMMENT} characters`);
}
