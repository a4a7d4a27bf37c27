/** A scope that a client asks a token for: `type:name:actions` (Distribution token specification, "Token Scope"). */
export interface Scope {
  readonly type: string;
  readonly name: string;
  /** As asked, in order, without repeats; not checked against anything. */
  readonly actions: readonly string[];
}

/** A request for more, or longer, scopes than anybody needs. */
export class ScopeError extends Error {
  override readonly name = 'ScopeError';
}

const MAX_SCOPES = 100;
/** A repository name of 255 characters with its type and a dozen actions. */
const MAX_SCOPE_LENGTH = 512;

/**
 * Reads the `scope` parameters of a token request. Each may hold several scopes separated by spaces. The first part is
 * the type and the last the actions; the name between them may contain colons (a port). Scopes for the same thing are
 * joined. Odd names and types are kept: they get no actions later, but are no error, as in Harbor.
 *
 * @throws ScopeError beyond 100 scopes, or 512 characters in one.
 */
export function parseScopes(texts: readonly string[]): Scope[] {
  const actions = new Map<string, { type: string; name: string; actions: Set<string> }>();
  let count = 0;
  for (const text of texts) {
    for (const word of words(text)) {
      if (++count > MAX_SCOPES) throw new ScopeError(`A token can be asked for at most ${MAX_SCOPES} scopes.`);
      if (word.length > MAX_SCOPE_LENGTH) throw new ScopeError(`A scope has at most ${MAX_SCOPE_LENGTH} characters.`);
      const scope = readScope(word);
      const key = `${scope.type} ${scope.name}`;
      const known = actions.get(key);
      if (known === undefined) actions.set(key, { ...scope, actions: new Set(scope.actions) });
      else for (const action of scope.actions) known.actions.add(action);
    }
  }
  return [...actions.values()].map((scope) => ({ ...scope, actions: [...scope.actions] }));
}

/** Stops before splitting a text that is certainly too long. */
function words(text: string): string[] {
  if (text.length > MAX_SCOPES * (MAX_SCOPE_LENGTH + 1)) throw new ScopeError('The scope parameter is too long.');
  return text.split(' ').filter((word) => word !== '');
}

function readScope(word: string): Scope {
  const first = word.indexOf(':');
  if (first === -1) return { type: word, name: '', actions: [] };
  const last = word.lastIndexOf(':');
  const type = word.slice(0, first);
  if (last === first) return { type, name: word.slice(first + 1), actions: [] };
  return { type, name: word.slice(first + 1, last), actions: word.slice(last + 1).split(',').filter((action) => action !== '') };
}
