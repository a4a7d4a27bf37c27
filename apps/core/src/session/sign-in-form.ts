import { Problem, text } from '@haven/api';
import { z } from 'zod';
import { plausible, type Credentials } from '../identity/basic-credentials.js';
import type { AccountName } from './registration.store.js';

const NameForm = z.object({ target: z.enum(['username', 'email']), value: text(255) });

/** Reads the form of POST /c/login; undefined when nobody can have such a name and password. */
export function readSignInForm(body: unknown): Credentials | undefined {
  const form = fieldsOf(body);
  return plausible({ username: form.get('principal') ?? '', password: form.get('password') ?? '' });
}

/** Reads the form of POST /c/userExists. */
export function readNameForm(body: unknown): AccountName {
  const result = NameForm.safeParse(Object.fromEntries(fieldsOf(body)));
  if (!result.success) throw new Problem('BAD_REQUEST', 'send target=username or target=email, and the name to look for as value');
  return result.data;
}

/** A field that is given twice is refused, never picked from. */
function fieldsOf(body: unknown): Map<string, string> {
  if (typeof body !== 'string') throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'send the form as application/x-www-form-urlencoded');
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    if (fields.has(name)) throw new Problem('BAD_REQUEST', `the field ${name.slice(0, 64)} may be given only once`);
    fields.set(name, value);
  }
  return fields;
}
