/** Who is asking. */
export type Subject =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly id: number; readonly name: string; readonly sysadmin: boolean }
  | { readonly kind: 'robot'; readonly id: number; readonly name: string };

/**
 * The subject's name in tokens and revocations: `''` for the anonymous one, `user:3`, `robot:7`. It has the kind and
 * the id, never the display name, which can be given to somebody else later.
 */
export function subjectId(subject: Subject): string {
  return subject.kind === 'anonymous' ? '' : `${subject.kind}:${subject.id}`;
}

const SUBJECT_ID = /^(user|robot):([1-9]\d{0,15})$/;

/** Reads what {@link subjectId} wrote; `undefined` for anything else. */
export function parseSubjectId(text: string): { readonly kind: 'anonymous' } | { readonly kind: 'user' | 'robot'; readonly id: number } | undefined {
  if (text === '') return { kind: 'anonymous' };
  const match = SUBJECT_ID.exec(text);
  const id = Number(match?.[2]);
  if (match === null || !Number.isSafeInteger(id)) return undefined;
  return { kind: match[1] === 'user' ? 'user' : 'robot', id };
}
