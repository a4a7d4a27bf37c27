/** The longest repository name, slashes included: the OCI Distribution Spec's advice, and the database's column. */
export const MAX_REPOSITORY_NAME = 255;

/** The longest tag (OCI Distribution Spec, "Pulling manifests"). */
export const MAX_TAG = 128;

const DOT = 0x2e;
const UNDERSCORE = 0x5f;
const DASH = 0x2d;
const SLASH = 0x2f;

/**
 * A repository name: path components of the OCI Distribution Spec joined by slashes, at most 255 characters, and at
 * least two components, because the first one is the project. One pass, no regular expression.
 */
export function isRepositoryName(text: string): boolean {
  if (text.length > MAX_REPOSITORY_NAME) return false;
  let components = 0;
  let start = 0;
  while (start <= text.length) {
    const end = componentEnd(text, start);
    if (end === -1) return false;
    components++;
    start = end + 1;
  }
  return components >= 2;
}

/**
 * A project name: one component of a repository name whose words are joined by exactly one dot, underscore or dash,
 * as in Harbor (`[a-z0-9]+(?:[._-][a-z0-9]+)*`).
 */
export function isProjectName(text: string): boolean {
  return text.length <= MAX_REPOSITORY_NAME && componentEnd(text, 0) === text.length && !text.includes('__') && !text.includes('--');
}

/** A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (OCI Distribution Spec, "Pulling manifests"). */
export function isTag(text: string): boolean {
  if (text.length === 0 || text.length > MAX_TAG) return false;
  const first = text.charCodeAt(0);
  if (first === DOT || first === DASH) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (!isLowerAlphanumeric(code) && !isUpper(code) && code !== UNDERSCORE && code !== DOT && code !== DASH) return false;
  }
  return true;
}

/** The project of a valid repository name: its first component. */
export function projectOf(repositoryName: string): string {
  const slash = repositoryName.indexOf('/');
  return slash === -1 ? repositoryName : repositoryName.slice(0, slash);
}

/**
 * Reads one component, `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, from `start` up to a slash or the end.
 * Returns the index after it, or -1 when it breaks the grammar.
 */
function componentEnd(text: string, start: number): number {
  let index = start;
  for (;;) {
    const word = index;
    while (index < text.length && isLowerAlphanumeric(text.charCodeAt(index))) index++;
    if (index === word) return -1;
    if (index === text.length || text.charCodeAt(index) === SLASH) return index;
    const after = separatorEnd(text, index);
    if (after === index) return -1;
    index = after;
  }
}

function separatorEnd(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === DOT) return start + 1;
  if (code === UNDERSCORE) return text.charCodeAt(start + 1) === UNDERSCORE ? start + 2 : start + 1;
  let index = start;
  while (text.charCodeAt(index) === DASH) index++;
  return index;
}

function isLowerAlphanumeric(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}
