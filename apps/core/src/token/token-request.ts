import { Problem, REGISTRY_SERVICE, TokenForm, TokenQuery } from '@haven/api';
import type { z } from 'zod';

const MAX_FORM = 64 * 1024;

/** Reads the query of GET /service/token. A parameter that must be single but is repeated is refused, never picked from. */
export function readTokenQuery(query: unknown): { readonly query: TokenQuery; readonly scopes: readonly string[] } {
  const parsed = parsedWith(TokenQuery, query);
  requireOurService(parsed.service);
  const { scope = [] } = parsed;
  return { query: parsed, scopes: wordsOf(typeof scope === 'string' ? [scope] : scope) };
}

/** Reads the form of POST /service/token. */
export function readTokenForm(body: unknown): { readonly form: TokenForm; readonly scopes: readonly string[] } {
  if (typeof body !== 'string') throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'send the form as application/x-www-form-urlencoded');
  if (body.length > MAX_FORM) throw new Problem('REQUEST_ENTITY_TOO_LARGE');
  const form = parsedWith(TokenForm, singleValues(body));
  requireOurService(form.service);
  return { form, scopes: wordsOf([form.scope ?? '']) };
}

function singleValues(body: string): Record<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    if (values.has(name)) throw new Problem('BAD_REQUEST', `the parameter ${name.slice(0, 64)} may be given only once`);
    values.set(name, value);
  }
  return Object.fromEntries(values);
}

function parsedWith<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Problem('BAD_REQUEST', `the parameter ${String(issue?.path[0] ?? '').slice(0, 64)} is missing, repeated or not valid`);
}

function requireOurService(service: string): void {
  if (service !== REGISTRY_SERVICE) throw new Problem('BAD_REQUEST', `this token service serves only "${REGISTRY_SERVICE}", not "${service.slice(0, 64)}"`);
}

function wordsOf(texts: readonly string[]): string[] {
  return texts.filter((text) => text.trim() !== '');
}
